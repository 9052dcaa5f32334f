// Rows that are kept in the process for a moment: what a node may still believe of them, whatever becomes of the change stream.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isPromise } from '../../server/lib/maybe-promise.ts'
import type { SessionRecord } from '../../server/sessions/record.ts'
import type { Store } from '../../server/sessions/store.ts'
import { cachingStore } from '../../server/stores/caching-store.ts'
import { connectMongo } from '../../server/stores/mongo-connection.ts'
import { loadMongoDriver } from '../../server/stores/mongo-driver.ts'
import { MongoFeed } from '../../server/stores/mongo-feed.ts'
import { MongoStore } from '../../server/stores/mongo-store.ts'
import { parseMongoUrl } from '../../server/stores/mongo-url.ts'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { sampleSession, testStore } from '../../server/testing.ts'
import { successorKey } from '../../server/testing/sample-session.ts'
import { mongoPlace, PATIENT_MS, withMongo } from '../support/mongo-place.ts'
import { startMongoServer, type MongoServer } from '../support/mongo-server.ts'
import { until } from '../support/redis-server.ts'
import { startStoreProcess } from '../support/store-process.ts'
import { startUnsteadyProxy } from '../support/unsteady-proxy.ts'

/** As docs/stores.md says. */
const BOUND_MS = 150
/** Of the contract, which ends very many. */
const SHORT_MS = 10
const ENDINGS = 200
const AT_ONCE = 20

const now = Date.now()

describe('MongoDB with rows kept in the process', () => {
  let server: MongoServer
  before(async () => {
    server = await startMongoServer()
  })
  after(() => server.stop())

  async function openPlace(t: TestContext, serverUrl = server.url) {
    const place = mongoPlace(serverUrl)
    t.after(() => place.dispose())
    const open = async (options: { readonly cache?: boolean; readonly port?: number } = {}) => {
      const { port, ...rest } = options
      const url = port === undefined ? place.url : `${place.url.replace(/:\d+\//, `:${port}/`)}?directConnection=true`
      const store = await createMongoStore({ url, timeoutMs: PATIENT_MS, ...rest })
      await store.open()
      t.after(() => store.close())
      return store
    }
    return { place, open }
  }

  // One node: between two, for a moment, each may find what was true a moment before.
  testStore(
    'mongo that keeps rows',
    () => {
      const place = mongoPlace(server.url, async (url) => {
        const [driver, config] = [await loadMongoDriver(), parseMongoUrl(url, PATIENT_MS)]
        const store = new MongoStore({ timeoutMs: PATIENT_MS, connect: () => connectMongo(driver, config) })
        const feed = new MongoFeed(() => store.watch())
        return cachingStore(store, { feed, timeoutMs: PATIENT_MS, leaseMs: SHORT_MS })
      })
      const first = place.connect()
      return { ...place, connect: () => first }
    },
    { properties: { runs: 10 } },
  )

  test('answers at once for 150 ms, without a promise, and hands out the very same bytes until they are changed', async (t) => {
    const { open } = await openPlace(t)
    const [here, elsewhere] = [await open({ cache: true }), await open({ cache: true })]
    const record = sampleSession(now)
    await here.create(record)
    const read = await here.find(record.key, now)
    const [first, second] = [here.find(record.key, now), here.find(record.key, now)]
    assert.ok(!isPromise(first) && !isPromise(second) && read?.live && first?.live && second?.live)
    for (const [name, value] of record.fields) {
      assert.deepEqual(Buffer.from(first.live.fields.get(name) ?? []), Buffer.from(value))
      assert.equal(first.live.fields.get(name), second.live.fields.get(name), 'what was opened cannot be used again')
    }
    await delay(BOUND_MS)
    const again = here.find(record.key, now)
    assert.ok(isPromise(again), 'it was used for longer')
    assert.equal((await again)?.live?.fields, read.live.fields, 'what was opened has to be opened again')

    await elsewhere.update(record.key, { set: new Map([['data:a', Uint8Array.of(1)]]) }, now)
    const start = performance.now()
    while ((await here.find(record.key, now))?.live?.version !== 2) await delay(1)
    const tookMs = performance.now() - start
    t.diagnostic(`an update was seen after ${tookMs.toFixed(1)} ms`)
    assert.ok(tookMs < 2 * BOUND_MS)
  })

  test('a node sees its own writes at once', async (t) => {
    const store = await (await openPlace(t)).open({ cache: true })
    const record = sampleSession(now)
    await store.create(record)
    for (let version = 2; version < 10; version += 1) {
      await store.find(record.key, now)
      const set = new Map([['data:a', Uint8Array.of(version)]])
      const [, written] = await Promise.all([store.find(record.key, now), store.update(record.key, { set }, now)])
      assert.equal(written, version)
      assert.equal((await store.find(record.key, now))?.live?.version, version)
    }
  })

  test('nothing is kept unless it was asked for', async (t) => {
    const store = await (await openPlace(t)).open()
    const record = sampleSession(now)
    await store.create(record)
    for (let i = 0; i < 3; i += 1) {
      const found = store.find(record.key, now)
      assert.ok(isPromise(found))
      await found
    }
  })

  test('what another process changes is heard of, also after the collection was dropped', async (t) => {
    const { place, open } = await openPlace(t)
    const store = await open({ cache: true })
    const record = sampleSession(now)
    await store.create(record)
    await store.find(record.key, now)
    await withMongo(place.url, async (db) => void (await db.collection('pbs_sessions').drop()))
    await until('the row is gone', async () => (await store.find(record.key, now)) === undefined)
    await store.create(record)
    await until('rows are kept again', async () => {
      await store.find(record.key, now)
      return !isPromise(store.find(record.key, now))
    })
  })

  test('refuses a deadline in which no ending could be answered', async () => {
    await assert.rejects(createMongoStore({ url: server.url, timeoutMs: 200, cache: true }), { name: 'ConfigError' })
  })

  test('no session is found once its ending was answered to another process, over a connection that is cut, stalled and delayed', async (t) => {
    const { place, open } = await openPlace(t)
    const proxy = await startUnsteadyProxy({ host: '127.0.0.1', port: server.port })
    t.after(() => proxy.close())
    const process = await startStoreProcess({ cache: true })
    t.after(() => process.kill())
    const ender = process.store(place.url)
    await ender.open()
    const reader = await open({ cache: true, port: proxy.port })
    const counts = { passed: 0, endedWhileKept: 0, failed: 0 }
    for (let done = 0; done < ENDINGS; done += AT_ONCE) {
      const records = Array.from({ length: AT_ONCE }, (_, i) => sampleSession(now, { userId: `user${done + i}` }))
      await Promise.all(records.map(async (record) => ender.create(record)))
      const weather = [() => {}, () => proxy.delay(randomInt(60)), () => proxy.stall('answers'), () => proxy.cut()]
      await Promise.all(records.map(async ({ key }) => ask(reader, key)))
      weather[(done / AT_ONCE) % weather.length]?.()
      const endings = records.map((record, i) => end({ reader, ender, counts }, record, i))
      await delay(BOUND_MS)
      proxy.heal()
      await Promise.all(endings)
    }
    t.diagnostic(JSON.stringify(counts))
    assert.equal(counts.passed, 0)
    assert.ok(counts.endedWhileKept > ENDINGS / 10, 'hardly any session was kept when it ended')
  })
})

test('a single server is refused: nothing is kept, and the operator is told why', async (t) => {
  const server = await startMongoServer({ isStandalone: true })
  t.after(() => server.stop())
  const place = mongoPlace(server.url)
  const store = await createMongoStore({ url: place.url, timeoutMs: PATIENT_MS, cache: true })
  await store.open()
  t.after(() => store.close())
  assert.match((await store.warnings?.())?.join() ?? '', /change streams need a replica set/)
  const record = sampleSession(now)
  await store.create(record)
  for (let i = 0; i < 3; i += 1) {
    const found = store.find(record.key, now)
    assert.ok(isPromise(found))
    assert.ok((await found)?.live)
  }
})

interface Scene {
  readonly reader: Store
  readonly ender: Store
  readonly counts: { passed: number; endedWhileKept: number; failed: number }
}

async function end({ reader, ender, counts }: Scene, record: SessionRecord, i: number): Promise<void> {
  const before = reader.find(record.key, now)
  if (isPromise(before)) before.catch(() => {})
  else if (before?.live) counts.endedWhileKept += 1
  if (i % 3 === 0) assert.equal(await ender.end(record.key, 'revoked', now), 1)
  else if (i % 3 === 1) await ender.endByUser(record.userId ?? '', 'revoked', now)
  else await ender.replace(record.key, sampleSession(now, { key: successorKey(record.key) }), {}, now)
  const found = await ask(reader, record.key)
  if (found === 'failed') counts.failed += 1
  else if (found === 'live') counts.passed += 1
}

async function ask(store: Store, key: string): Promise<'live' | 'not live' | 'failed'> {
  try {
    return (await store.find(key, now))?.live ? 'live' : 'not live'
  } catch {
    return 'failed' // a request that could not be answered does not pass either
  }
}
