import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { mask, unmask } from '../../../server/lib/mask.ts'

const value = randomBytes(32)

test('gives the value back', () => {
  assert.deepEqual(unmask(mask(value), 32), value)
})

test('gives another text each time, none of which shows the value', () => {
  const texts = Array.from({ length: 100 }, () => mask(value))
  assert.equal(new Set(texts).size, 100)
  for (const text of texts) assert.equal(Buffer.from(text, 'base64url').includes(value.subarray(0, 4)), false)
})

test('reads no other spelling', () => {
  const text = mask(value)
  for (const other of [
    '',
    text.slice(1),
    `${text}A`,
    `${text}=`,
    ` ${text.slice(1)}`,
    text.replace(/.$/, '+'),
    'é'.repeat(text.length),
  ]) {
    assert.equal(unmask(other, 32), null, other)
  }
})
