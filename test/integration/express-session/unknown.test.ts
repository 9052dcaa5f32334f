// A store that cannot be asked leaves it unknown who somebody is. Unknown is not anonymous.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Express } from 'express'
import expressSession from 'express-session'
import { requireGuest } from '../../../server/middleware/guards.ts'
import { requestSession } from '../../../server/middleware/request-session.ts'
import type { Services } from '../../../server/services.ts'
import { createFailingStore } from '../../support/failing-store.ts'
import { createFaultyStore, type Fault, type StoreMethod } from '../../support/faulty-store.ts'
import { cookiesOf, fieldsOf, startOurs, startStock } from '../../support/session-sites.ts'

const FAULTS: readonly Fault[] = ['reject', 'hang']

function build(app: Express, services: Services): void {
  app.get('/public', (_req, res) => res.json({ public: true }))
  app.get('/state', (req, res) => res.json({ state: requestSession(req).state }))
  app.get('/user', (req, res) => res.json({ user: req.user ?? null }))
  app.get('/auth', (req, res) => res.json({ auth: req.auth ?? null }))
  app.get('/session', (req, res) => res.json({ x: fieldsOf(req)['x'] ?? null }))
  app.get('/null', (req, res) => {
    Object.assign(req, { session: null })
    res.json({})
  })
  app.get('/guest', requireGuest(services), (_req, res) => res.json({ guest: true }))
  app.get('/late', (req, res) => {
    res.write('[')
    res.end(JSON.stringify([req.user, req.auth, req.session, req.sessionID].map(String)) + ']')
  })
}

const LOOKS = ['/user', '/auth', '/session', '/null', '/guest']

for (const fault of FAULTS) {
  describe(`a store whose look-ups ${fault}`, () => {
    for (const path of LOOKS) {
      test(`makes a 503 of ${path}, and leaves the cookie alone`, async (t) => {
        const store = createFaultyStore()
        const site = await startOurs(t, { store, build, options: { storeTimeoutMs: 50 } })
        const { cookie } = await site.web.signIn()
        store.fault('find', fault)
        const answer = await site.send(path, { headers: { cookie } })
        assert.equal(answer.status, 503)
        assert.equal(answer.json()['code'], 'store_unavailable')
        assert.equal(answer.headers['retry-after'], '5')
        assert.deepEqual(answer.cookies, [])

        store.heal()
        const user = (await site.send('/user', { headers: { cookie } })).json()['user'] as { id: string }
        assert.equal(user.id, 'user00000000001')
      })
    }

    test('does not touch what looks at nothing, nor visitors without a good cookie', async (t) => {
      const store = createFaultyStore()
      const site = await startOurs(t, { store, build, options: { storeTimeoutMs: 50 } })
      const { cookie } = await site.web.signIn()
      store.fault('find', fault)
      assert.equal((await site.send('/public', { headers: { cookie } })).status, 200)
      assert.deepEqual((await site.send('/state', { headers: { cookie } })).json(), { state: 'unknown' })
      const calls = store.calls.find
      for (const headers of [{}, { cookie: `${cookie}x` }, { cookie: `${cookie}; ${cookie}` }]) {
        assert.deepEqual((await site.send('/user', { headers })).json(), { user: null })
      }
      assert.equal(store.calls.find, calls, 'the store was asked')
    })

    test('shows nothing to those who ask once the answer has begun', async (t) => {
      const store = createFaultyStore()
      const site = await startOurs(t, { store, build, options: { storeTimeoutMs: 50 } })
      const { cookie } = await site.web.signIn()
      store.fault('find', fault)
      const answer = await site.send('/late', { headers: { cookie } })
      assert.deepEqual(JSON.parse(answer.text), [['undefined', 'undefined', 'undefined', 'undefined']])
    })
  })
}

test('a store that throws at once is no different', async (t) => {
  const failing = new Set<StoreMethod>()
  const site = await startOurs(t, { store: createFailingStore(failing), build })
  const { cookie } = await site.web.signIn()
  failing.add('find')
  for (const path of LOOKS) assert.equal((await site.send(path, { headers: { cookie } })).status, 503)
  assert.equal((await site.send('/public', { headers: { cookie } })).status, 200)
})

test('stock express-session takes everybody for anonymous while its store is away', async (t) => {
  const store = new expressSession.MemoryStore()
  const site = await startStock(t, {
    store,
    build(app) {
      app.get('/set', (req, res) => {
        fieldsOf(req)['x'] = 1
        res.json({})
      })
      app.get('/x', (req, res) => res.json({ x: (req.session as { x?: number } | undefined)?.x ?? null }))
    },
  })
  const set = await site.send('/set')
  store.emit('disconnect')
  const answer = await site.send('/x', cookiesOf(set))
  assert.equal(answer.status, 200)
  assert.deepEqual(answer.json(), { x: null })
})
