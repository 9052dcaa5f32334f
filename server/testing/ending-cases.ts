// The contract of replace and end: what ends, stays ended, and what it held is erased.

import assert from 'node:assert/strict'
import { holds } from './holds.ts'
import { assertEnded, assertLive, assertNone, assertSameRecord } from './assert-find.ts'
import { columnsOf, DAY, MINUTE, sampleKey, sampleSession, successorKey } from './sample-session.ts'
import type { StoreCase } from './store-case.ts'

export const endingCases: readonly StoreCase[] = [
  {
    name: 'a replace ends the old session as rotated and creates the new one',
    async run({ store, other, clock }) {
      const old = sampleSession(clock.now())
      const next = sampleSession(clock.now(), { key: successorKey(old.key) })
      await store.create(old)
      clock.advance(MINUTE)
      assert.equal(await store.replace(old.key, next, {}, clock.now()), 'replaced')
      const ended = await assertEnded(other, old.key, clock.now(), 'rotated')
      assert.deepEqual([ended.endedAt, ended.userId], [clock.now(), old.userId])
      assertSameRecord(await assertLive(other, next.key, clock.now()), next)
    },
  },
  {
    name: 'a replace of an anonymous session signs in',
    async run({ store, clock }) {
      const old = sampleSession(clock.now(), { userId: null, collection: null })
      const next = sampleSession(clock.now(), { key: successorKey(old.key) })
      await store.create(old)
      assert.equal(await store.replace(old.key, next, { ifVersion: 1 }, clock.now()), 'replaced')
      assert.deepEqual((await assertEnded(store, old.key, clock.now(), 'rotated')).userId, null)
      assertSameRecord(await assertLive(store, next.key, clock.now()), next)
    },
  },
  {
    name: 'a replace writes nothing where the old session is not live',
    async run({ store, clock }) {
      const [ended, idle] = [sampleSession(clock.now()), sampleSession(clock.now())]
      await store.create(ended)
      await store.create(idle)
      await store.end(ended.key, 'logout', clock.now())
      clock.set(idle.idleExpiresAt)
      for (const key of [sampleKey(), ended.key, idle.key]) {
        const next = sampleSession(clock.now(), { key: successorKey(key) })
        assert.equal(await store.replace(key, next, {}, clock.now()), 'gone')
        await assertNone(store, next.key, clock.now(), 'a dead session got a successor')
      }
      await assertEnded(store, ended.key, clock.now(), 'logout')
      await assertEnded(store, idle.key, clock.now(), 'idle_timeout')
      assert.deepEqual(await store.listByUser(idle.userId ?? '', clock.now()), [])
    },
  },
  {
    name: 'a replace writes nothing where the old session has another version than the one read',
    async run({ store, clock }) {
      const old = sampleSession(clock.now())
      const next = sampleSession(clock.now(), { key: successorKey(old.key) })
      await store.create(old)
      await store.update(old.key, {}, clock.now())
      assert.equal(await store.replace(old.key, next, { ifVersion: 1 }, clock.now()), 'conflict')
      await assertNone(store, next.key, clock.now())
      assertSameRecord(await assertLive(store, old.key, clock.now()), { ...old, version: 2 })
      assert.equal(await store.replace(old.key, next, { ifVersion: 2 }, clock.now()), 'replaced')
    },
  },
  {
    name: 'a replace onto a key that exists fails and writes nothing',
    async run({ store, clock }) {
      const old = sampleSession(clock.now())
      const taken = sampleSession(clock.now(), { key: successorKey(old.key) })
      await store.create(old)
      await store.create(taken)
      const next = sampleSession(clock.now(), { key: taken.key })
      await assert.rejects(async () => store.replace(old.key, next, {}, clock.now()))
      assertSameRecord(await assertLive(store, old.key, clock.now()), old)
      assertSameRecord(await assertLive(store, taken.key, clock.now()), taken)
    },
  },
  {
    name: 'an end is answered by 1 once, and keeps its first reason and time',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      clock.advance(MINUTE)
      const endedAt = clock.now()
      assert.equal(await store.end(record.key, 'logout', endedAt), 1)
      clock.advance(MINUTE)
      assert.equal(await other.end(record.key, 'revoked', clock.now()), 0)
      assert.equal(await store.end(sampleKey(), 'revoked', clock.now()), 0)
      const ended = await assertEnded(store, record.key, clock.now(), 'logout')
      assert.deepEqual([ended.endedAt, ended.userId], [endedAt, record.userId])
    },
  },
  {
    name: 'every kind of ending erases the fields from the store',
    needs: 'dump',
    async run({ store, clock, ...context }) {
      const now = clock.now()
      const [ended, replaced, revoked] = [
        sampleSession(now),
        sampleSession(now),
        sampleSession(now, { userId: 'other' }),
      ]
      const values = [ended, replaced, revoked].flatMap(({ fields }) => [...fields.values()])
      for (const record of [ended, replaced, revoked]) await store.create(record)
      const before = await context.dump()
      assert.ok(
        values.every((value) => holds(before, value)),
        'dump() does not show the fields of live sessions',
      )

      await store.end(ended.key, 'logout', now)
      await store.replace(replaced.key, sampleSession(now, { key: successorKey(replaced.key) }), {}, now)
      await store.endByUser('other', 'logout_everywhere', now)
      const after = await context.dump()
      assert.equal(values.filter((value) => holds(after, value)).length, 0, 'an ended session still has fields')
    },
  },
  {
    name: 'scans every row once, live and ended, while others come and go',
    async run({ store, clock }) {
      const now = clock.now()
      const records = Array.from({ length: 11 }, (_, i) => sampleSession(now, { userId: i === 0 ? null : `user${i}` }))
      const shortLived = Array.from({ length: 4 }, () => sampleSession(now, { expiresAt: now + MINUTE }))
      for (const record of [...records, ...shortLived]) await store.create(record)
      for (const { key } of records.slice(0, 5)) await store.end(key, 'admin_revoked', now)

      const first = await store.scan(null, 3)
      await store.deleteExpired(now + MINUTE, 100)
      const seen = [...first.sessions]
      for (let { cursor } = first; cursor !== null;) {
        const page = await store.scan(cursor, 3)
        seen.push(...page.sessions)
        cursor = page.cursor
      }
      for (const [i, columns] of records.map(columnsOf).entries()) {
        const found = seen.filter(({ key }) => key === columns.key)
        assert.equal(found.length, 1, 'a row was seen never or twice')
        const ended = i < 5 ? { reason: 'admin_revoked', endedAt: now, userId: columns.userId } : null
        assert.deepEqual(found[0]?.ended, ended)
        if (ended === null) assert.deepEqual(found[0], { ...columns, ended })
      }
    },
  },
  {
    name: 'keeps an ended session with its reason until its absolute deadline',
    async run({ store, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      await store.end(record.key, 'password_changed', clock.now())
      clock.advance(DAY - 1)
      await store.deleteExpired(clock.now(), 100)
      await assertEnded(store, record.key, clock.now(), 'password_changed')
      clock.advance(1)
      await store.deleteExpired(clock.now(), 100)
      assert.equal((await store.find(record.key, clock.now()))?.live, undefined)
    },
  },
]
