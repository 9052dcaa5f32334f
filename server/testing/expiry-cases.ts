// The contract of time: a row whose time has run out is dead before anybody deletes it.

import assert from 'node:assert/strict'
import type { Store } from '../sessions/store.ts'
import { assertEnded, assertLive } from './assert-find.ts'
import { DAY, HOUR, MINUTE, sampleSession } from './sample-session.ts'
import type { StoreCase } from './store-case.ts'

export const expiryCases: readonly StoreCase[] = [
  {
    name: 'a session that was idle for too long is found ended',
    async run({ store, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      clock.set(record.idleExpiresAt - 1)
      await assertLive(store, record.key, clock.now())
      clock.advance(1)
      const ended = await assertEnded(store, record.key, clock.now(), 'idle_timeout')
      assert.deepEqual([ended.endedAt, ended.userId], [record.idleExpiresAt, record.userId])
      clock.set(record.expiresAt - 1)
      await assertEnded(store, record.key, clock.now(), 'idle_timeout')
    },
  },
  {
    name: 'a session past its absolute deadline is found ended, however busy it was',
    async run({ store, clock }) {
      const record = sampleSession(clock.now(), { idleExpiresAt: clock.now() + 30 * DAY })
      await store.create(record)
      clock.set(record.expiresAt - 1)
      await assertLive(store, record.key, clock.now())
      clock.advance(1)
      const ended = await assertEnded(store, record.key, clock.now(), 'absolute_timeout')
      assert.deepEqual([ended.endedAt, ended.userId], [record.expiresAt, record.userId])
    },
  },
  {
    name: 'a session whose idle and absolute deadline are one ends by the absolute timeout',
    async run({ store, clock }) {
      const record = sampleSession(clock.now(), { idleExpiresAt: clock.now() + DAY })
      await store.create(record)
      clock.set(record.expiresAt)
      await assertEnded(store, record.key, clock.now(), 'absolute_timeout')
    },
  },
  {
    name: 'a session whose time has run out cannot be ended once more',
    async run({ store, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      clock.set(record.idleExpiresAt)
      assert.equal(await store.end(record.key, 'logout', clock.now()), 0)
      assert.equal(await store.endByUser(record.userId ?? '', 'logout_everywhere', clock.now()), 0)
      await assertEnded(store, record.key, clock.now(), 'idle_timeout')
    },
  },
  {
    name: 'a touch keeps a session alive past its first idle deadline',
    async run({ store, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      clock.advance(HOUR)
      const { key } = record
      await store.touch([{ key, lastSeenAt: clock.now(), idleExpiresAt: clock.now() + 2 * HOUR }], clock.now())
      clock.set(record.idleExpiresAt + MINUTE)
      await assertLive(store, key, clock.now())
      assert.equal((await store.listByUser(record.userId ?? '', clock.now())).length, 1)
    },
  },
  {
    name: 'deletes no session that is live, and no ended one before its absolute deadline',
    async run({ store, clock }) {
      const now = clock.now()
      const [live, idle, ended] = [sampleSession(now), sampleSession(now), sampleSession(now)]
      for (const record of [live, idle, ended]) await store.create(record)
      await store.end(ended.key, 'evicted', now)
      clock.set(live.idleExpiresAt - 1)
      const idleExpiresAt = now + DAY
      await store.touch([{ key: live.key, lastSeenAt: clock.now(), idleExpiresAt }], clock.now())
      clock.set(now + DAY - 1)
      await deleteAll(store, clock.now())
      await assertLive(store, live.key, clock.now(), 'a live session was deleted')
      await assertEnded(store, idle.key, clock.now(), 'idle_timeout')
      await assertEnded(store, ended.key, clock.now(), 'evicted')
    },
  },
  {
    name: 'deletes what is past its absolute deadline in bounded steps, until nothing is left',
    async run({ store, other, clock }) {
      const now = clock.now()
      const expired = Array.from({ length: 25 }, () => sampleSession(now, { expiresAt: now + HOUR }))
      const live = sampleSession(now)
      for (const record of [...expired, live]) await store.create(record)
      for (const { key } of expired.slice(0, 9)) await store.end(key, 'logout', now)
      await store.claim('spent', now + HOUR, now)
      await store.hit('spent', HOUR, now)
      clock.set(now + HOUR)
      await Promise.all([deleteAll(store, clock.now()), deleteAll(other, clock.now())])
      const page = await store.scan(null, 100)
      assert.deepEqual(
        page.sessions.map(({ key }) => key),
        [live.key],
      )
    },
  },
]

async function deleteAll(store: Store, now: number): Promise<void> {
  for (let step = 0; step < 20; step += 1) {
    const deleted = await store.deleteExpired(now, 10)
    assert.ok(deleted <= 10, `deleted ${deleted} rows in a step of 10`)
    if (deleted === 0) return
  }
  assert.fail('deleteExpired never answers 0')
}
