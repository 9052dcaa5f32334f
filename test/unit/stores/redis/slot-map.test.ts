import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSlots } from '../../../../server/stores/redis/slot-map.ts'

test('says which master has a slot, and which nodes there are', () => {
  const answer = [
    [0, 1, ['10.0.0.1', 6379, 'id1', []], ['10.0.0.3', 6379, 'id3', []]],
    [2, 2, ['10.0.0.2', 6379, 'id2', []]],
  ]
  const { slots, masters, nodes } = readSlots(answer, '10.0.0.9:6379')
  assert.deepEqual(slots, ['10.0.0.1:6379', '10.0.0.1:6379', '10.0.0.2:6379'])
  assert.deepEqual([...masters], ['10.0.0.1:6379', '10.0.0.2:6379'])
  assert.deepEqual([...nodes], ['10.0.0.1:6379', '10.0.0.3:6379', '10.0.0.2:6379'])
})

test('a node that does not know its own host is on the host that was asked', () => {
  for (const host of [null, '', '?']) {
    assert.deepEqual(readSlots([[0, 0, [host, 7000]]], '10.0.0.9:6379').slots, ['10.0.0.9:7000'])
  }
})

test('an answer without slots is an error', () => {
  for (const answer of [[], null, 'OK']) assert.throws(() => readSlots(answer, 'a:1'), /part of a cluster/)
})
