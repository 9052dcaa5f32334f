// The contract of claims and counters.

import assert from 'node:assert/strict'
import { HOUR, MINUTE } from './sample-session.ts'
import type { StoreCase } from './store-case.ts'

export const counterCases: readonly StoreCase[] = [
  {
    name: 'a claim is won once, until it is released or its time runs out',
    async run({ store, other, clock }) {
      const now = clock.now()
      assert.equal(await store.claim('a', now + MINUTE, now), true)
      assert.equal(await other.claim('a', now + HOUR, now), false)
      assert.equal(await other.claim('b', now + MINUTE, now), true)
      await other.release('a')
      assert.equal(await other.claim('a', now + MINUTE, now), true)
      assert.equal(await store.claim('a', now + HOUR, now + MINUTE - 1), false)
      assert.equal(await store.claim('a', now + HOUR, now + MINUTE), true)
      await store.release('never claimed')
    },
  },
  {
    name: 'of 50 parallel claims exactly one wins, fresh or run out',
    async run({ store, other, clock }) {
      for (const now of [clock.now(), clock.now() + HOUR]) {
        const claims = Array.from({ length: 50 }, async (_, i) =>
          (i % 2 ? store : other).claim('one', now + MINUTE, now),
        )
        const won = (await Promise.all(claims)).filter(Boolean)
        assert.equal(won.length, 1, `${won.length} callers won the same claim`)
      }
    },
  },
  {
    name: 'counts hits in a fixed window that starts with the first',
    async run({ store, other, clock }) {
      const resetAt = clock.now() + MINUTE
      assert.deepEqual({ ...(await store.hit('a', MINUTE, clock.now())) }, { count: 1, resetAt })
      clock.advance(MINUTE - 1)
      assert.deepEqual({ ...(await other.hit('a', MINUTE, clock.now())) }, { count: 2, resetAt })
      assert.equal((await store.hit('b', MINUTE, clock.now())).count, 1)
      assert.equal((await store.hit('a', MINUTE, clock.now())).count, 3)
      clock.advance(1)
      const next = { count: 1, resetAt: clock.now() + MINUTE }
      assert.deepEqual({ ...(await store.hit('a', MINUTE, clock.now())) }, next)
    },
  },
  {
    name: 'a hit of weight 0 only looks',
    async run({ store, other, clock }) {
      const resetAt = clock.now() + MINUTE
      for (const each of [store, other]) {
        assert.deepEqual({ ...(await each.hit('a', MINUTE, clock.now(), 0)) }, { count: 0, resetAt })
      }
      await store.hit('a', MINUTE, clock.now())
      clock.advance(1000)
      assert.deepEqual({ ...(await other.hit('a', MINUTE, clock.now(), 0)) }, { count: 1, resetAt })
      assert.equal((await store.hit('a', MINUTE, clock.now())).count, 2)
    },
  },
  {
    name: 'counts each of 100 parallel hits',
    async run({ store, other, clock }) {
      const hits = Array.from({ length: 100 }, async (_, i) => (i % 2 ? store : other).hit('a', MINUTE, clock.now()))
      const counts = (await Promise.all(hits)).map(({ count }) => count)
      assert.deepEqual(
        counts.toSorted((a, b) => a - b),
        Array.from({ length: 100 }, (_, i) => i + 1),
      )
    },
  },
  {
    name: 'a reset starts a counter anew, and only that one',
    async run({ store, clock }) {
      await store.hit('a', MINUTE, clock.now())
      await store.hit('b', MINUTE, clock.now())
      await store.claim('a', clock.now() + MINUTE, clock.now())
      await store.reset('a')
      await store.reset('never hit')
      assert.equal((await store.hit('a', MINUTE, clock.now())).count, 1)
      assert.equal((await store.hit('b', MINUTE, clock.now())).count, 2)
      assert.equal(await store.claim('a', clock.now() + HOUR, clock.now()), false, 'a reset released a claim')
    },
  },
]
