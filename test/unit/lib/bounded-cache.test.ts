import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BoundedCache } from '../../../server/lib/bounded-cache.ts'

describe('bounded cache', () => {
  test('never keeps more than it may', () => {
    const cache = new BoundedCache<number>(100)
    for (let i = 0; i < 1000; i++) {
      cache.set(`k${i}`, i, 10)
      assert.ok(cache.size <= 10)
    }
    assert.equal(cache.get('k999'), 999)
    assert.equal(cache.get('k0'), undefined)
  })

  test('keeps what is used while others come and go', () => {
    const cache = new BoundedCache<number>(100)
    cache.set('used', 1, 10)
    for (let i = 0; i < 100; i++) {
      cache.set(`k${i}`, i, 10)
      assert.equal(cache.get('used'), 1)
    }
  })

  test('forgets what is deleted, new or old', () => {
    const cache = new BoundedCache<number>(100)
    cache.set('a', 1, 10)
    for (let i = 0; i < 5; i++) cache.set(`k${i}`, i, 10)
    cache.delete('a')
    cache.set('b', 2, 10)
    cache.delete('b')
    assert.deepEqual([cache.get('a'), cache.get('b')], [undefined, undefined])
    cache.clear()
    assert.equal(cache.size, 0)
  })

  test('refuses an entry that alone is too large', () => {
    const cache = new BoundedCache<string>(100)
    cache.set('small', 'x', 1)
    cache.set('large', 'x'.repeat(101), 101)
    assert.equal(cache.get('large'), undefined)
    assert.equal(cache.get('small'), 'x')
  })
})
