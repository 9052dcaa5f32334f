// cookie-parser before or behind `session()`, with our secret or another.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import cookieParser from 'cookie-parser'
import type { Express } from 'express'
import type { Services } from '../../../server/services.ts'
import { cookiesOf, fieldsOf, startOurs } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

const OTHER = 'another secret, of the app itself'

function build(app: Express): void {
  app.get('/set', (req, res) => {
    fieldsOf(req)['x'] = 1
    res.cookie('theme', 'dark', { signed: true }).cookie('plain', 'yes').json({})
  })
  app.get('/get', (req, res) => {
    const { x } = fieldsOf(req)
    const seen = JSON.stringify([req.cookies, req.signedCookies, req.headers.cookie])
    res.json({ x, id: req.sessionID, seen, theme: req.signedCookies['theme'], plain: req.cookies['plain'] })
  })
}

for (const store of sessionStores) {
  for (const place of ['before', 'behind'] as const) {
    for (const secret of ['the same', 'another'] as const) {
      describe(`cookie-parser ${place} session(), with ${secret} secret, on ${store.name}`, () => {
        test('reads its own cookies, and never shows the session’s id', async (t) => {
          const mount = (app: Express, { config }: Services): void => {
            app.use(cookieParser(secret === 'another' ? OTHER : [...config.secrets]))
          }
          const site = await startOurs(t, {
            store: await store.open(t),
            ...(place === 'before' && { before: mount }),
            build(app, services) {
              if (place === 'behind') mount(app, services)
              build(app)
            },
          })
          const set = await site.send('/set')
          assert.equal(set.cookies.length, 3)
          const { x, id, seen, theme, plain } = (await site.send('/get', cookiesOf(set))).json()
          assert.deepEqual({ x, theme, plain }, { x: 1, theme: 'dark', plain: 'yes' })
          assert.ok(typeof id === 'string' && typeof seen === 'string')
          assert.equal(seen.includes(id), false, seen)
        })
      })
    }
  }
}
