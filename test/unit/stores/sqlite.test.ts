import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { isPromise } from '../../../server/lib/maybe-promise.ts'
import { createSqliteStore } from '../../../server/stores/sqlite.ts'
import { createClock, sampleSession, testStore } from '../../../server/testing.ts'
import { startStoreProcess, type StoreProcess } from '../../support/store-process.ts'
import { sqlitePlace } from '../../support/store-places.ts'
import { sessionStores, temporaryFolder } from '../../support/stores.ts'

testStore('sqlite', () => sqlitePlace())

describe('sqlite in two processes', () => {
  let process: StoreProcess
  before(async () => {
    process = await startStoreProcess()
  })
  after(() => process.kill())

  testStore('sqlite in two processes', () =>
    sqlitePlace((path, count) => (count % 2 ? process.store(path) : createSqliteStore({ path, timeoutMs: 10_000 }))),
  )
})

test('answers at once, without a promise, where no other process is in the way', async (t) => {
  const store = createSqliteStore({ path: `${temporaryFolder(t)}/sessions.db` })
  const clock = createClock()
  const [a, b] = [sampleSession(clock.now()), sampleSession(clock.now())]
  const now = clock.now()
  const answers = [
    store.open(),
    store.create(a),
    store.find(a.key, now),
    store.update(a.key, {}, now),
    store.touch([], now),
    store.replace(a.key, b, {}, now),
    store.end(b.key, 'logout', now),
    store.endByUser('nobody', 'logout', now),
    store.epoch(),
    store.listByUser('nobody', now),
    store.scan(null, 10),
    store.deleteExpired(now, 10),
    store.claim('a', now, now),
    store.release('a'),
    store.hit('a', 1, now),
    store.reset('a'),
    store.ping(),
    store.close(),
  ]
  assert.ok(!answers.some((answer) => isPromise<unknown>(answer)))
})

test('a failed call is undone as a whole, and the next one works', async (t) => {
  const [sqlite] = sessionStores.filter(({ name }) => name === 'sqlite')
  assert.ok(sqlite)
  const store = await sqlite.open(t)
  const now = createClock().now()
  const [a, b] = [sampleSession(now), sampleSession(now)]
  await store.create(a)
  // A column that cannot be bound: the row is read, nothing is written.
  const unbindable = { device: Symbol('x') as unknown as string }
  await assert.rejects(async () => store.update(a.key, { columns: unbindable }, now))
  const halfBad = [
    { key: a.key, lastSeenAt: now + 1, idleExpiresAt: now + 1 },
    { key: a.key, lastSeenAt: 1.5, idleExpiresAt: 1 },
  ]
  await assert.rejects(async () =>
    store.touch(
      halfBad.map((each) => ({ ...each, lastSeenAt: each.lastSeenAt + 0.5 })),
      now,
    ),
  )
  assert.equal((await store.find(a.key, now))?.live?.version, 1)
  assert.equal((await store.find(a.key, now))?.live?.lastSeenAt, now)
  await store.create(b)
  assert.ok((await store.find(b.key, now))?.live)
})

test('refuses calls before it is opened and after it is closed', async (t) => {
  const store = createSqliteStore({ path: `${temporaryFolder(t)}/sessions.db` })
  await assert.rejects(async () => store.ping(), /not open/)
  await store.open()
  await store.ping()
  await store.close()
  await assert.rejects(async () => store.find('a', 0), /not open/)
  await store.open()
  await store.ping()
  await store.close()
})
