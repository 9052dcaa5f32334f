// Secrets can be changed without signing anybody out.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { Express } from 'express'
import type { Store } from '../../../server/sessions/store.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import type { Answer } from '../../support/http-client.ts'
import { fieldsOf, startOurs } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

const [OLD, NEW] = ['o'.repeat(20) + '1234567890abcdefghij', 'n'.repeat(20) + 'abcdefghij1234567890']
const NAME = 'session-of-the-test'

function build(app: Express): void {
  app.get('/set', (req, res) => {
    fieldsOf(req)['x'] = 1
    res.json({})
  })
  app.get('/', (req, res) => res.json({ x: fieldsOf(req)['x'] ?? null, user: req.user?.id ?? null }))
  app.get('/untouched', (req, res) => res.json({ user: req.user?.id ?? null }))
}

const site = (t: TestContext, store: Store, secret: readonly string[]) =>
  startOurs(t, { store, build, options: { secret, cookie: { name: NAME } } })

const pair = ({ cookies }: Answer): { readonly headers: { readonly cookie: string } } => {
  assert.equal(cookies.length, 1)
  return { headers: { cookie: cookies[0]?.split(';')[0] ?? '' } }
}

for (const store of sessionStores) {
  describe(`secrets on ${store.name}`, () => {
    test('a session under the older secret goes on, gets a new cookie, and needs the old secret no more', async (t) => {
      const shared = await store.open(t)
      const before = await site(t, shared, [OLD])
      const { cookie } = await before.web.signIn()
      await before.send('/set', { headers: { cookie } })

      const both = await site(t, shared, [NEW, OLD])
      const answer = await both.send('/', { headers: { cookie } })
      assert.deepEqual(answer.json(), { x: 1, user: 'user00000000001' })
      const renewed = pair(answer)
      assert.notEqual(renewed.headers.cookie, cookie)
      assert.deepEqual((await both.send('/', renewed)).cookies, [], 'once is enough')

      const after = await site(t, shared, [NEW])
      assert.deepEqual((await after.send('/', renewed)).json(), { x: 1, user: 'user00000000001' })
      assert.deepEqual((await after.send('/untouched', { headers: { cookie } })).json(), { user: null })
    })

    test('a new cookie that got lost on its way is sent again', async (t) => {
      const shared = await store.open(t)
      const { cookie } = await (await site(t, shared, [OLD])).web.signIn()
      const both = await site(t, shared, [NEW, OLD])
      const first = pair(await both.send('/untouched', { headers: { cookie } }))
      assert.deepEqual(pair(await both.send('/untouched', { headers: { cookie } })), first)
    })

    test('a session whose fields are under a secret that is gone ends, and says so', async (t) => {
      const shared = await store.open(t)
      const before = await site(t, shared, [OLD])
      const { live } = await before.web.signIn()
      const after = await site(t, shared, [NEW])
      const cookie = `${NAME}=${after.web.services.sessions.cookieValue(live.id)}`
      assert.deepEqual((await after.send('/untouched', { headers: { cookie } })).json(), { user: null })
      const ended = after.web.events.find(({ name }) => name === 'session_use_after_end')
      assert.equal(ended && 'reason' in ended.event && ended.event.reason, 'secret_retired')
    })
  })
}

test('a store that fails while a session is sealed anew leaves it as it is', async (t) => {
  const shared = createFaultyStore()
  const { cookie } = await (await site(t, shared, [OLD])).web.signIn()
  const both = await site(t, shared, [NEW, OLD])
  shared.fault('update', 'reject', 1)
  const answer = await both.send('/untouched', { headers: { cookie } })
  assert.deepEqual(answer.json(), { user: 'user00000000001' })
  assert.deepEqual(answer.cookies, [])
  pair(await both.send('/untouched', { headers: { cookie } }))
})
