// Another process on the same file: its lock makes our calls wait, never our event loop.

import assert from 'node:assert/strict'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createSqliteStore } from '../../../server/stores/sqlite.ts'
import { createClock, sampleSession } from '../../../server/testing.ts'
import { startStoreProcess } from '../../support/store-process.ts'
import { temporaryFolder } from '../../support/stores.ts'

const LOCK_MS = 5000
const NANOSECONDS_PER_MS = 1e6

async function setUp(t: TestContext, timeoutMs: number) {
  const path = `${temporaryFolder(t)}/sessions.db`
  const process = await startStoreProcess()
  t.after(() => process.kill())
  const store = createSqliteStore({ path, timeoutMs })
  await store.open()
  t.after(() => store.close())
  return { path, process, store, now: createClock().now() }
}

test('a lock held for 5 s blocks neither the event loop nor a reader, and every write is done after it', async (t) => {
  const { path, process, store, now } = await setUp(t, 4 * LOCK_MS)
  const known = sampleSession(now)
  await store.create(known)
  const records = Array.from({ length: 40 }, () => sampleSession(now))
  await process.lock(path)

  const loop = monitorEventLoopDelay({ resolution: 5 })
  loop.enable()
  let written = 0
  const writes = records.map(async (record) => {
    await store.create(record)
    written += 1
  })
  const update = store.update(known.key, { set: new Map([['x', Uint8Array.of(1)]]) }, now)
  for (const held = performance.now(); performance.now() - held < LOCK_MS; await delay(20)) {
    assert.equal((await store.find(known.key, now))?.live?.version, 1)
  }
  assert.equal(written, 0)
  loop.disable()
  // Not the maximum: one late turn is the machine's, a store that sleeps makes all of them late.
  assert.ok(loop.percentile(99) < 50 * NANOSECONDS_PER_MS, `loop delay ${loop.percentile(99) / NANOSECONDS_PER_MS} ms`)

  await process.unlock(path)
  await Promise.all(writes)
  assert.equal(await update, 2)
  for (const { key } of records) assert.ok((await store.find(key, now))?.live)
})

test('a lock that outlasts the deadline rejects the writes, and nothing of them is done', async (t) => {
  const { path, process, store, now } = await setUp(t, 100)
  const record = sampleSession(now)
  await process.lock(path)
  const started = performance.now()
  const results = await Promise.allSettled(Array.from({ length: 10 }, async () => store.create(record)))
  assert.ok(performance.now() - started < LOCK_MS)
  assert.ok(
    results.every((result) => result.status === 'rejected' && /stayed locked .* 100 ms/.test(String(result.reason))),
  )
  await process.unlock(path)
  assert.equal(await store.find(record.key, now), undefined)
  await store.create(record)
  assert.ok((await store.find(record.key, now))?.live)
})

test('two processes that open a new file at once both get their store', async (t) => {
  const { process, now } = await setUp(t, 1000)
  for (let round = 0; round < 5; round += 1) {
    const path = `${temporaryFolder(t)}/deep/er/sessions.db`
    const [mine, theirs] = [createSqliteStore({ path }), process.store(path)]
    await Promise.all([theirs.open(), mine.open()])
    const record = sampleSession(now)
    await theirs.create(record)
    assert.ok((await mine.find(record.key, now))?.live)
    await theirs.close()
    await mine.close()
  }
})

test('a store that is closed rejects what waits for a lock', async (t) => {
  const { path, process, store, now } = await setUp(t, 4 * LOCK_MS)
  await process.lock(path)
  const waiting = Promise.resolve(store.create(sampleSession(now)))
  await store.close()
  await assert.rejects(waiting, /closed/)
})

test('two processes that change different fields of one session lose none', async (t) => {
  const { path, process, store, now } = await setUp(t, 2 * LOCK_MS)
  const theirs = process.store(path)
  await theirs.open()
  const record = sampleSession(now, { fields: new Map() })
  await store.create(record)
  const change = (name: string) => ({ set: new Map([[name, Uint8Array.of(1)]]) })
  await Promise.all([
    ...Array.from({ length: 200 }, (_, i) => theirs.update(record.key, change(`theirs${i}`), now)),
    ...Array.from({ length: 200 }, async (_, i) => {
      await new Promise(setImmediate)
      return store.update(record.key, change(`mine${i}`), now)
    }),
  ])
  const found = (await store.find(record.key, now))?.live
  assert.equal(found?.fields.size, 400)
  assert.equal(found.version, 401)
})
