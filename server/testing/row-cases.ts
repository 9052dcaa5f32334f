// The contract of one row: create, find, update, touch.

import assert from 'node:assert/strict'
import { assertEnded, assertLive, assertNone, assertSameRecord } from './assert-find.ts'
import { DAY, HOUR, MINUTE, sampleKey, sampleSession } from './sample-session.ts'
import type { StoreCase } from './store-case.ts'

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, i) => i)

export const rowCases: readonly StoreCase[] = [
  {
    name: 'finds a session as it was created, on every connection',
    async run({ store, other, clock }) {
      const now = clock.now()
      const record = sampleSession(now, {
        cookie: 14 * DAY,
        remembered: true,
        amr: ['pwd', 'otp'],
        device: 'Ünïcode “日本”',
      })
      await store.create(record)
      assertSameRecord(await assertLive(store, record.key, now), record)
      assertSameRecord(await assertLive(other, record.key, now), record)
    },
  },
  {
    name: 'finds an anonymous session as it was created, nulls and all',
    async run({ store, clock }) {
      const now = clock.now()
      const nobody = { userId: null, collection: null, authTime: null, validatedAt: null, tokenExpiresAt: null }
      const record = sampleSession(now, { ...nobody, amr: [], device: '', ip: '', fields: new Map() })
      await store.create(record)
      assertSameRecord(await assertLive(store, record.key, now), record)
    },
  },
  {
    name: 'keeps fields of any name and any bytes',
    async run({ store, clock }) {
      const names = [
        'data:a.b',
        'data:$set',
        'data:__proto__',
        'constructor',
        'data:名前',
        'data: ',
        'data:a:b',
        'data:%00',
      ]
      const fields = new Map([
        ...names.map((name, i) => [name, EVERY_BYTE.subarray(i)] as const),
        ['empty', new Uint8Array()],
      ])
      const record = sampleSession(clock.now(), { fields })
      await store.create(record)
      assertSameRecord(await assertLive(store, record.key, clock.now()), record)
      await store.update(record.key, { set: fields, unset: ['data:a'] }, clock.now())
      assertSameRecord(await assertLive(store, record.key, clock.now()), { ...record, version: 2 })
    },
  },
  {
    name: 'keeps a field of 500 kB',
    async run({ store, clock }) {
      const fields = new Map([['data:big', new Uint8Array(500_000).fill(7)]])
      const record = sampleSession(clock.now(), { fields })
      await store.create(record)
      assertSameRecord(await assertLive(store, record.key, clock.now()), record)
    },
  },
  {
    name: 'keeps its own copy of what it was given',
    async run({ store, clock }) {
      const bytes = Uint8Array.of(1, 2, 3)
      const fields = new Map([['data:x', bytes]])
      const record = sampleSession(clock.now(), { fields })
      await store.create(record)
      bytes.fill(9)
      fields.clear()
      const found = await assertLive(store, record.key, clock.now())
      assert.deepEqual([...(found.fields.get('data:x') ?? [])], [1, 2, 3])
    },
  },
  {
    name: 'finds nothing under a key that was never created',
    async run({ store, clock }) {
      await assertNone(store, sampleKey(), clock.now())
    },
  },
  {
    name: 'refuses to create a key that exists, and leaves its session as it was',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      const again = sampleSession(clock.now(), { key: record.key, userId: 'user00000000002' })
      await assert.rejects(async () => other.create(again))
      assertSameRecord(await assertLive(store, record.key, clock.now()), record)
    },
  },
  {
    name: 'refuses to create a key that has ended: a dead session stays dead',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      await store.end(record.key, 'logout', clock.now())
      await assert.rejects(async () => other.create(record))
      await assertEnded(store, record.key, clock.now(), 'logout')
    },
  },
  {
    name: 'an update merges the named fields and columns and leaves the others',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now(), {
        fields: new Map([
          ['a', Uint8Array.of(1)],
          ['b', Uint8Array.of(2)],
        ]),
      })
      await store.create(record)
      clock.advance(MINUTE)
      const set = new Map([['c', Uint8Array.of(3)]])
      const columns = { validatedAt: clock.now(), cookie: HOUR, amr: ['pwd', 'otp'], tokenExpiresAt: null }
      assert.equal(await store.update(record.key, { set, unset: ['a', 'never'], columns }, clock.now()), 2)
      const fields = new Map([
        ['b', Uint8Array.of(2)],
        ['c', Uint8Array.of(3)],
      ])
      assertSameRecord(await assertLive(other, record.key, clock.now()), { ...record, ...columns, fields, version: 2 })
    },
  },
  {
    name: 'an update changes only the version that was read, where one is given',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now(), { fields: new Map() })
      const set = (byte: number) => new Map([['n', Uint8Array.of(byte)]])
      await store.create(record)
      assert.equal(await store.update(record.key, { set: set(1), ifVersion: 1 }, clock.now()), 2)
      assert.equal(await other.update(record.key, { set: set(2), ifVersion: 1 }, clock.now()), 'conflict')
      assert.equal(await other.update(record.key, { set: set(3), ifVersion: 3 }, clock.now()), 'conflict')
      assertSameRecord(await assertLive(store, record.key, clock.now()), { ...record, fields: set(1), version: 2 })
    },
  },
  {
    name: 'an update never brings a session into being',
    async run({ store, clock }) {
      const set = new Map([['a', Uint8Array.of(1)]])
      const key = sampleKey()
      assert.equal(await store.update(key, { set }, clock.now()), 'gone')
      await assertNone(store, key, clock.now(), 'an update brought a session into being')

      const ended = sampleSession(clock.now())
      await store.create(ended)
      await store.end(ended.key, 'logout', clock.now())
      assert.equal(await store.update(ended.key, { set, ifVersion: 1 }, clock.now()), 'gone')
      await assertEnded(store, ended.key, clock.now(), 'logout')

      const idle = sampleSession(clock.now())
      await store.create(idle)
      clock.set(idle.idleExpiresAt)
      const columns = { idleExpiresAt: clock.now() + HOUR }
      assert.equal(await store.update(idle.key, { set, columns }, clock.now()), 'gone')
      await assertEnded(store, idle.key, clock.now(), 'idle_timeout')
    },
  },
  {
    name: 'a touch lets the larger value of each win and leaves the version alone',
    async run({ store, other, clock }) {
      const now = clock.now()
      const record = sampleSession(now)
      const { key } = record
      await store.create(record)
      await store.touch([{ key, lastSeenAt: now + 5, idleExpiresAt: record.idleExpiresAt - 5 }], now)
      await other.touch([{ key, lastSeenAt: now + 3, idleExpiresAt: record.idleExpiresAt + 3 }], now)
      await store.touch([{ key, lastSeenAt: now - 1, idleExpiresAt: record.idleExpiresAt - 1 }], now)
      const touched = { ...record, lastSeenAt: now + 5, idleExpiresAt: record.idleExpiresAt + 3 }
      assertSameRecord(await assertLive(store, key, now), touched)
    },
  },
  {
    name: 'touches many sessions in one call, and none in none',
    async run({ store, clock }) {
      const records = Array.from({ length: 120 }, () => sampleSession(clock.now()))
      for (const record of records) await store.create(record)
      clock.advance(MINUTE)
      const idleExpiresAt = clock.now() + 2 * HOUR
      await store.touch([], clock.now())
      await store.touch(
        records.map(({ key }) => ({ key, lastSeenAt: clock.now(), idleExpiresAt })),
        clock.now(),
      )
      for (const { key } of records) {
        const found = await assertLive(store, key, clock.now())
        assert.deepEqual([found.lastSeenAt, found.idleExpiresAt], [clock.now(), idleExpiresAt])
      }
    },
  },
  {
    name: 'a touch never brings a session into being',
    async run({ store, clock }) {
      const key = sampleKey()
      const [ended, idle] = [sampleSession(clock.now()), sampleSession(clock.now())]
      await store.create(ended)
      await store.create(idle)
      await store.end(ended.key, 'revoked', clock.now())
      clock.set(idle.idleExpiresAt)
      const late = { lastSeenAt: clock.now(), idleExpiresAt: clock.now() + HOUR }
      await store.touch(
        [key, ended.key, idle.key].map((each) => ({ key: each, ...late })),
        clock.now(),
      )
      await assertNone(store, key, clock.now(), 'a touch brought a session into being')
      await assertEnded(store, ended.key, clock.now(), 'revoked')
      await assertEnded(store, idle.key, clock.now(), 'idle_timeout')
      assert.deepEqual(await store.listByUser(idle.userId ?? '', clock.now()), [])
    },
  },
]
