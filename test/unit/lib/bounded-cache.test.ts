import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BoundedCache } from '../../../server/lib/bounded-cache.ts'

describe('bounded cache', () => {
  test('never keeps more than it may', () => {
    const cache = new BoundedCache<number>(100, () => 10)
    for (let i = 0; i < 1000; i++) {
      cache.set(`k${i}`, i)
      assert.ok(cache.size <= 11)
    }
    assert.equal(cache.get('k999'), 999)
    assert.equal(cache.get('k0'), undefined)
  })

  test('keeps what is used while others come and go', () => {
    const cache = new BoundedCache<number>(100, () => 10)
    cache.set('used', 1)
    for (let i = 0; i < 100; i++) {
      cache.set(`k${i}`, i)
      assert.equal(cache.get('used'), 1)
    }
  })

  test('forgets what is deleted, in both generations', () => {
    const cache = new BoundedCache<number>(100, () => 10)
    cache.set('a', 1)
    for (let i = 0; i < 5; i++) cache.set(`k${i}`, i)
    cache.delete('a')
    cache.set('b', 2)
    cache.delete('b')
    assert.deepEqual([cache.get('a'), cache.get('b')], [undefined, undefined])
    cache.clear()
    assert.equal(cache.size, 0)
  })

  test('refuses an entry that alone is too large', () => {
    const cache = new BoundedCache<string>(100, (_, value) => value.length)
    cache.set('large', 'x'.repeat(60))
    assert.equal(cache.get('large'), undefined)
  })
})
