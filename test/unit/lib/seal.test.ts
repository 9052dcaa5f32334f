import assert from 'node:assert/strict'
import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { isSealedWith, seal, unseal } from '../../../server/lib/seal.ts'

const key = { id: Buffer.from([1, 2, 3, 4]), key: createSecretKey(randomBytes(32)) }

describe('seal', () => {
  test('opens what it sealed, with the same context', () => {
    assert.equal(unseal(key, seal(key, 'héllo', 'row 1'), 'row 1'), 'héllo')
  })

  test('does not open under another context or another key', () => {
    const envelope = seal(key, 'text', 'row 1')
    assert.equal(unseal(key, envelope, 'row 2'), null)
    assert.equal(unseal({ ...key, key: createSecretKey(randomBytes(32)) }, envelope, 'row 1'), null)
  })

  test('does not open when any single byte was changed, cut or added', () => {
    const envelope = seal(key, 'text', 'row')
    for (let i = 0; i < envelope.length; i++) {
      if (i >= 1 && i < 5) continue // the key id only says which key to try
      const changed = Buffer.from(envelope)
      changed[i] = (changed[i] ?? 0) ^ 1
      assert.equal(unseal(key, changed, 'row'), null, `byte ${i}`)
    }
    for (let length = 0; length < envelope.length; length++) {
      assert.equal(unseal(key, envelope.subarray(0, length), 'row'), null, `length ${length}`)
    }
    assert.equal(unseal(key, Buffer.concat([envelope, Buffer.from([0])]), 'row'), null)
  })

  test('shows neither the text nor the same bytes twice, and names its key', () => {
    const [a, b] = [seal(key, 'secret text', 'row'), seal(key, 'secret text', 'row')]
    assert.notDeepEqual(a, b)
    assert.equal(a.includes('secret'), false)
    assert.equal(isSealedWith(key, a), true)
    assert.equal(isSealedWith({ id: Buffer.from([1, 2, 3, 5]) }, a), false)
  })

  test('opens bytes that a driver hands over as a view into a larger buffer', () => {
    const envelope = seal(key, 'text', 'row')
    const large = new Uint8Array(envelope.length + 10)
    large.set(envelope, 5)
    assert.equal(unseal(key, large.subarray(5, 5 + envelope.length), 'row'), 'text')
  })
})
