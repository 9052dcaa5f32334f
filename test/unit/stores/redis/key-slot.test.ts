import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keySlot } from '../../../../server/stores/redis/key-slot.ts'
import { RedisKeys } from '../../../../server/stores/redis/keys.ts'
import { sampleSession, successorKey } from '../../../../server/testing/sample-session.ts'

test('the slot of a key is the one that Redis computes', () => {
  // Answers of CLUSTER KEYSLOT.
  assert.deepEqual(
    ['foo', '123456789', '{user1000}.following', 'foo{}{bar}', 'foo{{bar}}zap', 'foo{bar}{zap}'].map(keySlot),
    [12182, 12739, 3443, 8363, 4015, 5061],
  )
})

test('a row and its successor share a slot, and so do the rows and the epoch of a user', () => {
  const keys = new RedisKeys('pbs:')
  for (let i = 0; i < 100; i += 1) {
    const { key } = sampleSession(0)
    assert.equal(keySlot(keys.row(key)), keySlot(keys.row(successorKey(key))))
    const user = `user}{${i}`
    assert.equal(keySlot(keys.userRows(user)), keySlot(keys.userEpoch(user)))
  }
})

test('the rows of many sessions are spread over the slots', () => {
  const keys = new RedisKeys('pbs:')
  const slots = Array.from({ length: 300 }, () => keySlot(keys.row(sampleSession(0).key)))
  assert.ok(new Set(slots).size > 250)
})
