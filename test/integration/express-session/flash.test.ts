// connect-flash keeps its messages in one field of `req.session`.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import flash from 'connect-flash'
import { cookiesOf, startOurs } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

for (const store of sessionStores) {
  test(`connect-flash on ${store.name} shows a message on the page that a redirect leads to, once`, async (t) => {
    const site = await startOurs(t, {
      store: await store.open(t),
      build(app) {
        app.use(flash())
        app.post('/', (req, res) => {
          req.flash('info', 'saved')
          req.flash('info', 'twice')
          res.redirect('/')
        })
        app.get('/', (req, res) => res.json({ info: req.flash('info') }))
      },
    })
    const untouched = await site.send('/nowhere')
    assert.deepEqual(untouched.cookies, [])
    const post = await site.send('/', { method: 'POST' })
    assert.deepEqual((await site.send('/', cookiesOf(post))).json(), { info: ['saved', 'twice'] })
    assert.deepEqual((await site.send('/', cookiesOf(post))).json(), { info: [] })
  })
}
