import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { packFields, unpackFields } from '../../../server/stores/pack-fields.ts'

const fieldsArbitrary = fc
  .array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 300 })))
  .map((entries) => new Map(entries))

const plain = (fields: ReadonlyMap<string, Uint8Array>) => [...fields].map(([name, value]) => [name, [...value]])

test('unpacks what was packed', () => {
  fc.assert(
    fc.property(fieldsArbitrary, (fields) => {
      assert.deepEqual(plain(unpackFields(packFields(fields))), plain(fields))
    }),
  )
})

test('refuses what was cut off, at every length', () => {
  const packed = packFields(new Map([['token', Uint8Array.of(1, 2, 3)]]))
  for (let length = 0; length < packed.length; length += 1) {
    if (length === 1) continue // a row without fields
    assert.throws(() => unpackFields(packed.subarray(0, length)))
  }
})

test('refuses another format and names that are too long', () => {
  assert.throws(() => unpackFields(Uint8Array.of(2)), /unknown format/)
  assert.throws(() => packFields(new Map([['n'.repeat(65_536), new Uint8Array()]])), RangeError)
})
