import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import type { RefreshResult } from '../../../server/pocketbase/port.ts'
import { requestSession } from '../../../server/middleware/request-session.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { startOurs } from '../../support/session-sites.ts'
import { userRecord } from '../../support/web.ts'

const INTERVAL = 60_000

/** An app whose PocketBase answers what the test says. */
async function start(t: TestContext, refresh: () => Promise<RefreshResult>) {
  let asked = 0
  const store = createFaultyStore()
  const site = await startOurs(t, {
    store,
    options: { revalidate: { intervalMs: INTERVAL } },
    before(_app, { pocketbase }) {
      Object.assign(pocketbase, {
        authRefresh: () => {
          asked += 1
          return refresh()
        },
      })
    },
    build(app) {
      app.get('/', (req, res) => {
        const { state, stale } = requestSession(req)
        res.json({ state, stale, user: req.user?.['name'] ?? null, auth: req.auth?.stale ?? null })
      })
    },
  })
  const { cookie } = await site.web.signIn({ name: 'before' })
  const get = () => site.send('/', { headers: { cookie } })
  return { site, store, get, asked: () => asked, at: (age: number) => site.web.clock.advance(age) }
}

const renewed = (name = 'after'): RefreshResult => ({
  kind: 'ok',
  token: 'token-renewed',
  user: userRecord({ name }),
  expiresAt: 4e12,
})

describe('a signed-in session', () => {
  test('is not asked about while the last answer is fresh', async (t) => {
    const { get, asked, at } = await start(t, async () => renewed())
    at(INTERVAL / 2 - 1)
    await get()
    assert.equal(asked(), 0)
  })

  test('is asked about behind the answer from half of the interval on', async (t) => {
    const answer = Promise.withResolvers<RefreshResult>()
    const { get, asked, at } = await start(t, () => answer.promise)
    at(INTERVAL / 2)
    const first = (await get()).json()
    assert.deepEqual(first, { state: 'live', stale: false, user: 'before', auth: false })
    assert.equal(asked(), 1)
    answer.resolve(renewed())
    // The check ends when its row is written; the look-up behind it sees that.
    while ((await get()).json()['user'] !== 'after') assert.equal(asked(), 1, 'one check at a time')
  })

  test('is waited for past the interval, and the request has the new user', async (t) => {
    const { get, at } = await start(t, async () => renewed())
    at(INTERVAL)
    assert.deepEqual((await get()).json(), { state: 'live', stale: false, user: 'after', auth: false })
  })

  test('ends with a definite no, and its cookie goes', async (t) => {
    const { get, at } = await start(t, async () => ({ kind: 'rejected' }))
    at(INTERVAL)
    const answer = await get()
    assert.deepEqual(answer.json(), { state: 'ended', stale: false, user: null, auth: null })
    assert.match(answer.cookies.join(), /Max-Age=0/)
  })

  test('goes on stale while PocketBase is away', async (t) => {
    const { get, at } = await start(t, () => Promise.reject(new Error('unreachable')))
    at(INTERVAL)
    const answer = await get()
    assert.deepEqual(answer.json(), { state: 'live', stale: true, user: 'before', auth: true })
    assert.deepEqual(answer.cookies, [])
  })

  test('goes on stale when PocketBase takes longer than a second', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const hanging = Promise.withResolvers<RefreshResult>()
    const asked = Promise.withResolvers<void>()
    const { site, at } = await startWithMemory(t, () => {
      asked.resolve()
      return hanging.promise
    })
    at(INTERVAL)
    const pending = site.send('/', { headers: { cookie: site.cookie } })
    await asked.promise
    await new Promise((resolve) => setImmediate(resolve))
    t.mock.timers.tick(1000)
    assert.deepEqual((await pending).json(), { state: 'live', stale: true })
    hanging.resolve(renewed())
  })

  test('goes on stale when the outcome cannot be written', async (t) => {
    const { get, at, store } = await start(t, async () => renewed())
    at(INTERVAL)
    store.fault('update', 'reject')
    const answer = await get()
    assert.equal(answer.status, 200)
    assert.equal(answer.json()['stale'], true)
  })
})

async function startWithMemory(t: TestContext, refresh: () => Promise<RefreshResult>) {
  const site = await startOurs(t, {
    options: { revalidate: { intervalMs: INTERVAL } },
    before: (_app, { pocketbase }) => void Object.assign(pocketbase, { authRefresh: refresh }),
    build: (app) =>
      app.get('/', (req, res) => {
        const { state, stale } = requestSession(req)
        res.json({ state, stale })
      }),
  })
  const { cookie } = await site.web.signIn()
  return { site: { ...site, cookie }, at: (age: number) => site.web.clock.advance(age) }
}

test('a session without a user is never asked about', async (t) => {
  const { site, asked, at } = await start(t, async () => renewed())
  const { cookie } = await site.web.anonymous()
  at(INTERVAL * 3)
  assert.equal((await site.send('/', { headers: { cookie } })).json()['state'], 'live')
  assert.equal(asked(), 0)
})
