import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryData } from '../../../server/stores/memory-data.ts'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import { createClock, sampleSession, testStore } from '../../../server/testing.ts'
import { memoryPlace } from '../../support/store-places.ts'

testStore('memory', () => memoryPlace())

test('frees what an ended user took: neither index, claims nor counters grow for ever', () => {
  const data = createMemoryData()
  const store = createMemoryStore(data)
  const clock = createClock()
  const record = sampleSession(clock.now())
  void store.create(record)
  void store.endByUser(record.userId ?? '', 'logout_everywhere', clock.now())
  void store.claim('a', clock.now() + 1, clock.now())
  void store.hit('a', 1, clock.now())
  clock.set(record.expiresAt)
  assert.equal(store.deleteExpired(clock.now(), 100), 4)
  assert.deepEqual(
    [data.rows.size, data.byUser.size, data.epochs.size, data.claims.size, data.counters.size],
    [0, 0, 0, 0, 0],
  )
})
