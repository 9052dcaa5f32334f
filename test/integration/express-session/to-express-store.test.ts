// Our stores under a plain express-session that the app mounts by itself.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import express from 'express'
import expressSession from 'express-session'
import { toExpressStore, type ExpressStoreOptions } from '../../../server/middleware/to-express-store.ts'
import type { Store } from '../../../server/sessions/store.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { send, type Sent } from '../../support/http-client.ts'
import { testClock } from '../../support/sessions.ts'
import { cookiesOf, fieldsOf, gate, listen, problems } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

const SECRET = 'a secret of more than thirty-two bytes'
const HOUR = 3_600_000

async function start(t: TestContext, store: Store, options: Partial<ExpressStoreOptions> = {}, maxAge?: number) {
  const app = express()
  app.set('env', 'test')
  const slow = gate()
  app.use(
    expressSession({
      store: toExpressStore(store, { secret: SECRET, ...options }),
      secret: 'of express-session',
      resave: false,
      saveUninitialized: false,
      cookie: maxAge === undefined ? {} : { maxAge },
    }),
  )
  app.get('/set/:name', (req, res) => res.json({ set: (fieldsOf(req)[req.params.name] = 1) }))
  app.get('/get', (req, res) => res.json(Object.keys(fieldsOf(req)).filter((name) => name !== 'cookie')))
  app.get('/delete/:name', (req, res) => res.json({ deleted: delete fieldsOf(req)[req.params.name] }))
  app.get('/logout', (req, res, next) => req.session.destroy((error: unknown) => (error ? next(error) : res.json({}))))
  app.get('/regenerate', (req, res, next) =>
    req.session.regenerate((error: unknown) => (error ? next(error) : res.json({ set: (fieldsOf(req)['b'] = 1) }))),
  )
  app.get('/slow/:name', async (req, res) => {
    assert.ok(fieldsOf(req)['a'])
    await slow.arrive()
    res.json({ set: (fieldsOf(req)[req.params.name] = 1) })
  })
  app.use(problems)
  const origin = await listen(t, app)
  const names = async (sent: Sent): Promise<unknown> => JSON.parse((await send(origin, '/get', sent)).text)
  return { send: (path: string, sent?: Sent) => send(origin, path, sent), names, slow }
}

for (const { name, open } of sessionStores) {
  describe(`toExpressStore on ${name}`, () => {
    test('keeps sessions, regenerates and destroys them', async (t) => {
      const site = await start(t, await open(t))
      const set = await site.send('/set/a')
      assert.deepEqual(await site.names(cookiesOf(set)), ['a'])
      const regenerated = await site.send('/regenerate', cookiesOf(set))
      assert.deepEqual(await site.names(cookiesOf(set)), [])
      assert.deepEqual(await site.names(cookiesOf(regenerated)), ['b'])
      await site.send('/logout', cookiesOf(regenerated))
      assert.deepEqual(await site.names(cookiesOf(regenerated)), [])
    })

    test('merges what parallel requests have changed', async (t) => {
      const site = await start(t, await open(t))
      const set = await site.send('/set/a')
      const writing = Array.from({ length: 20 }, (_, index) => site.send(`/slow/f${index}`, cookiesOf(set)))
      await site.slow.arrived(20)
      site.slow.open()
      await Promise.all(writing)
      assert.equal(((await site.names(cookiesOf(set))) as unknown[]).length, 21)
    })

    test('leaves alone what a request has not changed, and forgets what it has deleted', async (t) => {
      const site = await start(t, await open(t))
      const set = await site.send('/set/a')
      const slow = site.send('/slow/b', cookiesOf(set))
      await site.slow.arrived(1)
      await site.send('/delete/a', cookiesOf(set))
      site.slow.open()
      await slow
      assert.deepEqual(await site.names(cookiesOf(set)), ['b'])
    })

    test('does not let a slow request revive what was destroyed', async (t) => {
      const site = await start(t, await open(t))
      const set = await site.send('/set/a')
      const slow = site.send('/slow/late', cookiesOf(set)).catch(() => undefined)
      await site.slow.arrived(1)
      await site.send('/logout', cookiesOf(set))
      site.slow.open()
      await slow
      assert.deepEqual(await site.names(cookiesOf(set)), [])
    })

    test('ends sessions that are not used, and moves the deadline of those that are', async (t) => {
      const clock = testClock()
      const site = await start(t, await open(t), { now: clock.now, idleTimeoutMs: HOUR })
      const set = await site.send('/set/a')
      for (let use = 0; use < 3; use++) {
        clock.advance(HOUR / 2)
        assert.deepEqual(await site.names(cookiesOf(set)), ['a'])
      }
      clock.advance(HOUR + 1)
      assert.deepEqual(await site.names(cookiesOf(set)), [])
    })

    test('lets a session live as long as its cookie, and no longer than allowed', async (t) => {
      const clock = testClock()
      const options = { now: clock.now, idleTimeoutMs: HOUR, absoluteTimeoutMs: 5 * HOUR }
      const site = await start(t, await open(t), options, 3 * HOUR)
      const set = await site.send('/set/a')
      clock.advance(2 * HOUR)
      assert.deepEqual(await site.names(cookiesOf(set)), ['a'])
      clock.advance(2 * HOUR)
      assert.deepEqual(await site.names(cookiesOf(set)), ['a'])
      clock.advance(HOUR + 1)
      assert.deepEqual(await site.names(cookiesOf(set)), [])
    })
  })
}

test('what is kept can be read neither from the rows nor by its id', async (t) => {
  const store = createFaultyStore()
  const site = await start(t, store)
  const set = await site.send('/set/top-secret-name')
  const id = /s%3A([^.]+)\./.exec(cookiesOf(set).headers.cookie)?.[1] ?? ''
  const { sessions } = await store.scan(null, 10)
  assert.equal(sessions.length, 1)
  assert.equal(JSON.stringify(sessions).includes(id), false)
})

test('a store that fails is an error of the request, not an empty session', async (t) => {
  const store = createFaultyStore()
  const site = await start(t, store)
  const set = await site.send('/set/a')
  store.fault('find', 'reject')
  assert.equal((await site.send('/get', cookiesOf(set))).status, 503)
})

test('a store that could not be opened is opened with a later request', async (t) => {
  const store = createFaultyStore()
  store.fault('open', 'reject', 1)
  const site = await start(t, store)
  const passed = { headers: { cookie: 'connect.sid=x' } }
  assert.equal((await site.send('/get', passed)).status, 200, 'nothing was asked')
  await site.send('/set/a').catch(() => undefined)
  const set = await site.send('/set/a')
  assert.deepEqual(await site.names(cookiesOf(set)), ['a'])
})

test('a short secret is refused', () => {
  assert.throws(() => toExpressStore(createFaultyStore(), { secret: 'short' }), /32 bytes/)
  assert.throws(() => toExpressStore(createFaultyStore(), { secret: [] }), /32 bytes/)
})
