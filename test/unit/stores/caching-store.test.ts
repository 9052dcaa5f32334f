import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { isPromise } from '../../../server/lib/maybe-promise.ts'
import { cachingStore } from '../../../server/stores/caching-store.ts'
import type { ChangeFeed } from '../../../server/stores/change-feed.ts'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import { createMemoryData } from '../../../server/stores/memory-data.ts'
import { sampleSession } from '../../../server/testing.ts'
import { successorKey } from '../../../server/testing/sample-session.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'

const LEASE_MS = 150
const now = Date.now()

/** Two nodes on the same data, of which one keeps rows, with a clock and a feed that the test moves. */
async function setUp(t: TestContext) {
  const data = createMemoryData()
  const inner = createFaultyStore(createMemoryStore(data), { delayMs: 0 })
  const clock = { time: 1000, heardUntil: -Infinity }
  t.mock.method(performance, 'now', () => clock.time)
  const told: string[] = []
  let onChange: (key: string | null) => void = () => {}
  let isOpen = false
  const feed: ChangeFeed = {
    open: async (listener) => {
      onChange = listener
      isOpen = true
    },
    close: async () => {},
    get isOpen() {
      return isOpen
    },
    heardUntil: () => clock.heardUntil,
    announce: async (keys) => void told.push(...keys),
    warnings: ['it is deaf'],
  }
  const store = cachingStore(inner, { feed, timeoutMs: 2000 })
  await store.open()
  t.after(() => store.close())
  const record = sampleSession(now)
  await store.create(record)
  return {
    store,
    inner,
    elsewhere: createMemoryStore(data),
    clock,
    told,
    key: record.key,
    record,
    hear: (key: string | null) => onChange(key),
    lose: () => {
      isOpen = false
      onChange(null)
    },
    isKept: () => !isPromise(store.find(record.key, now)),
  }
}

test('a row is used for one lease after it was asked for, or after the moment until which all was heard of', async (t) => {
  const { store, key, clock, isKept } = await setUp(t)
  assert.ok(!isKept())
  await store.find(key, now)
  clock.time += LEASE_MS - 1
  assert.ok(isKept())
  clock.time += 1
  assert.ok(!isKept())
  clock.heardUntil = clock.time - LEASE_MS + 1
  assert.ok(isKept())
  clock.heardUntil -= 1
  assert.ok(!isKept())
})

test('a row is read again after a minute, whatever was heard', async (t) => {
  const { store, key, clock, isKept } = await setUp(t)
  await store.find(key, now)
  clock.time += 59_999
  clock.heardUntil = clock.time
  assert.ok(isKept())
  clock.time += 1
  clock.heardUntil = clock.time
  assert.ok(!isKept())
})

test('the age of a row counts from when it was asked for, not from its answer', async (t) => {
  const { store, key, clock, isKept } = await setUp(t)
  const reading = store.find(key, now)
  clock.time += LEASE_MS
  assert.ok((await reading)?.live)
  assert.ok(!isKept())
})

test('a row that was changed while it was on its way is not kept', async (t) => {
  const { store, key, hear, lose, isKept } = await setUp(t)
  for (const news of [() => hear(key), () => hear(null), lose]) {
    const reading = store.find(key, now)
    news()
    assert.ok((await reading)?.live)
    assert.ok(!isKept())
    await new Promise(setImmediate)
    hear(null)
  }
})

test('a row that this node changes while it is on its way is not kept', async (t) => {
  const { store, key, isKept } = await setUp(t)
  const reading = store.find(key, now)
  await store.update(key, { set: new Map([['data:a', Uint8Array.of(1)]]) }, now)
  assert.equal((await reading)?.live?.version, 1)
  assert.ok(!isKept())
})

test('a row that is read while this node changes it is not kept', async (t) => {
  const { store, inner, key, isKept } = await setUp(t)
  inner.fault('update', { delayMs: 50 }, 1)
  const updating = store.update(key, {}, now)
  assert.equal((await store.find(key, now))?.live?.version, 1)
  assert.ok(isKept())
  await updating
  assert.equal((await store.find(key, now))?.live?.version, 2)
})

test('a write of which nobody knows whether it was done leaves nothing kept', async (t) => {
  const { store, inner, key } = await setUp(t)
  await store.find(key, now)
  inner.fault('update', 'lose-answer', 1)
  await assert.rejects(async () => store.update(key, {}, now))
  assert.equal((await store.find(key, now))?.live?.version, 2)
})

test('nothing is kept while nothing is heard', async (t) => {
  const { store, key, lose, isKept } = await setUp(t)
  await store.find(key, now)
  assert.ok(isKept())
  lose()
  for (let i = 0; i < 3; i += 1) {
    assert.ok(!isKept())
    await store.find(key, now)
  }
})

test('bytes that did not change are the same objects after they were read again', async (t) => {
  const { store, elsewhere, key, clock } = await setUp(t)
  const first = (await store.find(key, now))?.live?.fields
  clock.time += LEASE_MS
  assert.equal((await store.find(key, now))?.live?.fields, first)
  await elsewhere.update(key, { set: new Map([['data:a', Uint8Array.of(1)]]) }, now)
  clock.time += LEASE_MS
  const changed = (await store.find(key, now))?.live?.fields
  assert.deepEqual([...(changed?.get('data:a') ?? [])], [1])
})

test('a session that was found ended is no longer kept', async (t) => {
  const { store, elsewhere, key, clock } = await setUp(t)
  await store.find(key, now)
  await elsewhere.end(key, 'logout', now)
  clock.time += LEASE_MS
  assert.ok((await store.find(key, now))?.ended)
  clock.heardUntil = clock.time
  assert.ok((await store.find(key, now))?.ended)
})

test('what has timed out here, or may have been deleted, is looked up', async (t) => {
  const { store, elsewhere, key, record } = await setUp(t)
  await store.find(key, now)
  const later = record.idleExpiresAt
  await elsewhere.touch([{ key, lastSeenAt: later - 1, idleExpiresAt: later + 1 }], now)
  assert.ok((await store.find(key, later))?.live)
  await store.deleteExpired(record.expiresAt, 10)
  assert.equal(await store.find(key, now), undefined)
})

test('other nodes are told of what a write has changed, and of nothing else', async (t) => {
  const { store, key, told } = await setUp(t)
  await store.update(key, { ifVersion: 7 }, now)
  await store.update(sampleSession(now).key, {}, now)
  assert.deepEqual(told, [])
  await store.update(key, {}, now)
  await store.touch([{ key, lastSeenAt: now, idleExpiresAt: now }], now)
  assert.deepEqual(told, [key, key])
})

test('each ending waits for as long as another node may use the row', async (t) => {
  const { store, key, record } = await setUp(t)
  const next = sampleSession(now, { key: successorKey(key) })
  const endings = [
    () => store.replace(key, next, {}, now),
    () => store.end(next.key, 'logout', now),
    () => store.end(next.key, 'logout', now), // somebody else may have ended it just now
    () => store.endByUser(record.userId ?? '', 'logout', now),
  ]
  for (const ending of endings) {
    const start = process.hrtime.bigint() // the other clock stands still
    await ending()
    const tookMs = Number(process.hrtime.bigint() - start) / 1e6
    assert.ok(tookMs > LEASE_MS, `it was answered after ${tookMs} ms`)
  }
})

test('shows the warnings of the store and of the feed', async (t) => {
  const { store } = await setUp(t)
  assert.deepEqual(await store.warnings?.(), ['it is deaf'])
})
