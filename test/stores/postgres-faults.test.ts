// PostgreSQL that hangs, dies and comes back, and networks that swallow: every call ends by its deadline, and all is well after.

import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../../server/sessions/store.ts'
import { createPostgresStore } from '../../server/stores/postgres.ts'
import { createClock, sampleSession } from '../../server/testing.ts'
import { postgresPlace, query } from '../support/postgres-place.ts'
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const TIMEOUT_MS = 500
/** What a busy machine may add to a deadline. */
const SLACK_MS = 1000
const RECOVERY_MS = 5000

const now = createClock().now()

describe('PostgreSQL in trouble', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgresServer()
  })
  after(() => server.stop())

  async function openStore(t: TestContext, url = server.url): Promise<{ store: Store; schema: string }> {
    const { schema, dispose } = postgresPlace(server.url)
    const store = await createPostgresStore({ url, schema, timeoutMs: TIMEOUT_MS })
    await store.open()
    t.after(async () => {
      await store.close()
      await dispose()
    })
    return { store, schema }
  }

  async function openThroughProxy(t: TestContext) {
    const proxy = await startTcpProxy(server)
    const url = new URL(server.url)
    url.port = String(proxy.port)
    const opened = await openStore(t, url.href)
    t.after(() => proxy.close()) // after the store, which closes first
    return { ...opened, proxy }
  }

  test('a server that hangs fails every call by its deadline, and serves them all when it goes on', async (t) => {
    const { store } = await openStore(t)
    const known = sampleSession(now)
    await store.create(known)
    server.pause()
    t.after(() => server.resume())
    // More calls than connections: some wait for one, and have the same deadline.
    await assertAllFail(Array.from({ length: 30 }, () => () => store.find(known.key, now)))
    await assertAllFail(callsOn(store, known.key))
    server.resume()
    await recovered(store)
    for (let i = 0; i < 20; i += 1) assert.ok((await store.find(known.key, now))?.live)
  })

  test('a store closes while the server hangs, and leaves no socket that would keep the process alive', async (t) => {
    const { store } = await openStore(t)
    await Promise.all(Array.from({ length: 5 }, async () => store.ping()))
    server.pause()
    t.after(() => server.resume())
    const pending = assert.rejects(async () => store.ping())
    assert.ok(openSockets() > 0)
    await within(TIMEOUT_MS + SLACK_MS, async () => store.close())
    await pending
    await turns(5)
    assert.equal(openSockets(), 0)
    server.resume()
  })

  test('a server that is killed and started again keeps everything acknowledged', async (t) => {
    const { store } = await openStore(t)
    const [live, ended] = [new Set<string>(), new Set<string>()]
    const workers = Array.from({ length: 5 }, () => assert.rejects(work(store, live, ended)))
    while (ended.size < 50) await delay(1)
    await server.kill()
    await Promise.all(workers)
    await assertAllFail([() => store.ping()])
    await server.restart()
    await recovered(store)
    for (const key of live) assert.ok((await store.find(key, now))?.live, 'an acknowledged sign-in is lost')
    for (const key of ended) assert.equal((await store.find(key, now))?.ended?.reason, 'logout')
  })

  test('an orderly restart is not even noticed by those who come after it', async (t) => {
    const { store } = await openStore(t)
    const known = sampleSession(now)
    await store.create(known)
    await Promise.all(Array.from({ length: 10 }, async () => store.ping()))
    await server.restart()
    for (let i = 0; i < 20; i += 1) assert.ok((await store.find(known.key, now))?.live)
  })

  test('where the network has swallowed all connections, one call pays for them all', async (t) => {
    const { store, proxy } = await openThroughProxy(t)
    await Promise.all(Array.from({ length: 10 }, async () => store.ping()))
    assert.ok(proxy.connections() > 1, 'one connection only: nothing to show')
    proxy.swallow()
    proxy.heal() // for new connections
    await assertAllFail([() => store.ping()])
    for (let i = 0; i < 20; i += 1) await store.ping()
  })

  test('while the network swallows everything each call fails by its deadline, and after it all is well', async (t) => {
    const { store, proxy } = await openThroughProxy(t)
    proxy.swallow()
    for (let i = 0; i < 3; i += 1) await assertAllFail(callsOn(store, 'a'))
    proxy.heal()
    await recovered(store)
    await Promise.all(Array.from({ length: 30 }, async () => store.ping()))
  })

  test('a create and a replace whose answers were lost are recognized as done', async (t) => {
    const { store, proxy } = await openThroughProxy(t)
    const [a, b] = [sampleSession(now), sampleSession(now)]
    await store.ping()
    proxy.loseNextAnswer()
    await store.create(a)
    await proxy.answerLost()
    await assert.rejects(async () => store.create(a), /exists already/)
    await assert.rejects(async () => store.create({ ...a, handle: b.handle }), /exists already/)

    await store.ping()
    proxy.loseNextAnswer()
    assert.equal(await store.replace(a.key, b, { ifVersion: 1 }, now), 'replaced')
    await proxy.answerLost()
    assert.equal((await store.find(a.key, now))?.ended?.reason, 'rotated')
    assert.ok((await store.find(b.key, now))?.live)
    assert.equal(await store.replace(a.key, sampleSession(now), {}, now), 'gone')
  })

  test('what would not be the same twice fails where its answer was lost, and is done once', async (t) => {
    const { store, proxy } = await openThroughProxy(t)
    const record = sampleSession(now)
    await store.create(record)
    const once = [
      () => store.update(record.key, { set: new Map([['x', Uint8Array.of(1)]]) }, now),
      () => store.hit('counter', 60_000, now),
      () => store.claim('claim', now + 60_000, now),
    ]
    for (const call of once) {
      await store.ping() // so that it is the call's own answer, not that of a new connection
      proxy.loseNextAnswer()
      await assert.rejects(async () => call(), { name: 'PostgresError' })
      await proxy.answerLost()
    }
    assert.equal((await store.find(record.key, now))?.live?.version, 2)
    assert.equal((await store.hit('counter', 60_000, now)).count, 2)
    assert.equal(await store.claim('claim', now + 60_000, now), false)
  })

  test('a row that another transaction keeps locked fails a write by its deadline, and reads go on', async (t) => {
    const { store, schema } = await openStore(t)
    const record = sampleSession(now)
    await store.create(record)
    const lock = query(
      server.url,
      `BEGIN; SELECT FROM ${schema}.pbs_sessions FOR UPDATE; SELECT pg_sleep(${(3 * TIMEOUT_MS) / 1000}); COMMIT`,
    )
    while ((await waiting()) === 0) await delay(5)
    await assertAllFail([() => store.end(record.key, 'logout', now)])
    assert.ok((await store.find(record.key, now))?.live)
    await lock
    assert.equal(await store.end(record.key, 'logout', now), 1)
  })

  test('a server that has become read-only is left at once, and the next call finds what took its place', async (t) => {
    const { store } = await openStore(t)
    const set = async (change: string) => query(server.url, `BEGIN READ WRITE; ALTER ROLE pbs ${change}; COMMIT`)
    await set('SET default_transaction_read_only = on')
    t.after(() => set('RESET default_transaction_read_only'))
    await server.restart() // so that every connection is one to a read-only server
    for (let i = 0; i < 3; i += 1) {
      await assert.rejects(async () => store.end('a', 'logout', now), { code: '25006' })
    }
    await set('RESET default_transaction_read_only')
    await store.create(sampleSession(now))
  })

  async function waiting(): Promise<number> {
    const sleeping = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`
    return Number((await query(server.url, sleeping))[0]?.['count'])
  }
})

function callsOn(store: Store, key: string): readonly (() => unknown)[] {
  return [
    () => store.ping(),
    () => store.find(key, now),
    () => store.create(sampleSession(now)),
    () => store.update(key, {}, now),
    () => store.touch([{ key, lastSeenAt: now, idleExpiresAt: now }], now),
    () => store.replace(key, sampleSession(now), {}, now),
    () => store.end('none', 'logout', now),
    () => store.endByUser('nobody', 'logout', now),
    () => store.epoch(),
    () => store.listByUser('nobody', now),
    () => store.scan(null, 1),
    () => store.deleteExpired(now, 1),
    () => store.claim('a', now, now),
    () => store.release('a'),
    () => store.hit('a', 1, now),
    () => store.reset('a'),
  ]
}

/** All at once, each by the deadline, with an error and never with an answer. */
async function assertAllFail(calls: readonly (() => unknown)[]): Promise<void> {
  const started = performance.now()
  const results = await Promise.allSettled(calls.map(async (call) => call()))
  const tookMs = performance.now() - started
  for (const { status } of results) assert.equal(status, 'rejected')
  assert.ok(tookMs < TIMEOUT_MS + SLACK_MS, `the slowest of ${calls.length} calls took ${tookMs} ms`)
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve))
}

async function recovered(store: Store): Promise<void> {
  for (const started = performance.now(); ;) {
    try {
      return await store.ping()
    } catch (error) {
      if (performance.now() - started > RECOVERY_MS) throw error
      await delay(20)
    }
  }
}

/** Signs in and out as fast as it goes, until a call fails. Notes what was acknowledged. */
async function work(store: Store, live: Set<string>, ended: Set<string>): Promise<void> {
  for (;;) {
    const [stays, goes] = [sampleSession(now), sampleSession(now)]
    await store.create(stays)
    live.add(stays.key)
    await store.create(goes)
    await store.end(goes.key, 'logout', now)
    ended.add(goes.key)
  }
}

async function within(ms: number, task: () => Promise<void>): Promise<void> {
  const started = performance.now()
  await task()
  assert.ok(performance.now() - started < ms)
}
