// The contract of moving sessions: what a store hands out and takes in, with one in memory at the other end.

import assert from 'node:assert/strict'
import { copySessions } from '../sessions/copy-sessions.ts'
import { isCopyable, type CopyableStore } from '../sessions/copyable-store.ts'
import type { SessionRecord } from '../sessions/record.ts'
import type { Store } from '../sessions/store.ts'
import { createMemoryStore } from '../stores/memory.ts'
import { assertEnded, assertLive, assertNone, assertSameRecord } from './assert-find.ts'
import { holds } from './holds.ts'
import { columnsOf, DAY, HOUR, MINUTE, sampleSession, successorKey } from './sample-session.ts'
import { turns } from './turns.ts'
import type { StoreCase } from './store-case.ts'

const ANN = 'user0000000ann0'
const BOB = 'user0000000bob0'

/** Cases for stores that can be copied. */
export const copyCases: readonly StoreCase[] = [
  {
    name: 'hands out every row as it is, live and ended, and epochs and claims',
    needs: 'copy',
    async run({ store, clock }) {
      const now = clock.now()
      const sample = await fill(store, now)
      const target = createMemoryStore()
      const copied = await copy(store, target, now)
      assert.deepEqual(copied, { sessions: 54, ended: 3, written: 54 })
      await assertCopied(target, sample, { now, epoch: await store.epoch() })
    },
  },
  {
    name: 'takes in every row as it is, live and ended, and epochs and claims',
    needs: 'copy',
    async run({ store, other, clock }) {
      const now = clock.now()
      const source = createMemoryStore()
      const sample = await fill(source, now)
      assert.equal((await copy(source, store, now)).written, 54)
      await assertCopied(other, sample, { now, epoch: await source.epoch() })
      assert.equal((await copy(source, store, now)).written, 0, 'a second copy wrote what was there already')
      await assertCopied(store, sample, { now, epoch: await source.epoch() })
      await assertAtWork(store, sample, now)
    },
  },
  {
    name: 'a copy never brings back what has ended in the target',
    needs: 'copy',
    async run({ store, other, clock }) {
      const now = clock.now()
      const source = createMemoryStore()
      const record = sampleSession(now)
      await source.create(record)
      await copy(source, store, now)
      await other.end(record.key, 'logout', now)
      await source.update(record.key, { columns: { device: 'Chrome on Android' } }, now)
      await source.update(record.key, {}, now)
      await source.update(record.key, {}, now)
      assert.equal((await copy(source, store, now)).written, 0)
      await assertEnded(store, record.key, now, 'logout')
      await source.end(record.key, 'revoked', now + MINUTE)
      assert.equal((await copy(source, store, now)).written, 0)
      assert.equal((await assertEnded(other, record.key, now, 'logout')).endedAt, now)
      assert.deepEqual(await store.listByUser(record.userId ?? '', now), [])
    },
  },
  {
    name: 'a copy ends in the target what has ended in the source, and erases it',
    needs: 'copy',
    async run({ store, other, clock, ...context }) {
      const now = clock.now()
      const source = createMemoryStore()
      const records = [ANN, ANN, BOB].map((userId) => sampleSession(now, { userId }))
      const [ended, replaced, kept] = records
      assert.ok(ended && replaced && kept)
      for (const record of records) await source.create(record)
      await copy(source, store, now)
      assert.equal((await store.listByUser(ANN, now)).length, 2)
      const next = sampleSession(now, { userId: ANN, key: successorKey(replaced.key) })
      await source.end(ended.key, 'revoked', now + MINUTE)
      await source.replace(replaced.key, next, {}, now)
      assert.equal((await copy(source, store, now)).written, 3)
      assert.equal((await assertEnded(other, ended.key, now, 'revoked')).endedAt, now + MINUTE)
      await assertEnded(other, replaced.key, now, 'rotated')
      assertSameRecord(await assertLive(other, next.key, now), next)
      assertSameRecord(await assertLive(store, kept.key, now), kept)
      assert.deepEqual(
        (await other.listByUser(ANN, now)).map(({ key }) => key),
        [next.key],
      )
      const bytes = await context.dump()
      for (const value of ended.fields.values()) assert.ok(!holds(bytes, value), 'an ended session still has fields')
    },
  },
  {
    name: 'a copy brings later states of live sessions, and never an earlier one',
    needs: 'copy',
    async run({ store, other, clock }) {
      const now = clock.now()
      const source = createMemoryStore()
      const [written, touched, ahead] = [sampleSession(now), sampleSession(now), sampleSession(now)]
      for (const record of [written, touched, ahead]) await source.create(record)
      await copy(source, store, now)
      const set = new Map([['data:cart', Uint8Array.of(1)]])
      await source.update(written.key, { set, unset: ['token'] }, now)
      const times = { lastSeenAt: now + MINUTE, idleExpiresAt: now + 3 * HOUR }
      await source.touch([{ key: touched.key, ...times }], now)
      await other.update(ahead.key, { set }, now)
      assert.equal((await copy(source, store, now)).written, 2)
      assertSameRecord(await assertLive(other, written.key, now), { ...written, fields: set, version: 2 })
      assertSameRecord(await assertLive(other, touched.key, now), { ...touched, ...times })
      assert.equal((await assertLive(other, ahead.key, now)).version, 2, 'an acknowledged write was undone')
      assert.equal((await other.listByUser(written.userId ?? '', now)).length, 3)
    },
  },
  {
    name: 'a copy lowers no epoch and shortens no claim',
    needs: 'copy',
    async run({ store, clock }) {
      const now = clock.now()
      const source = createMemoryStore()
      await source.endByUser(ANN, 'logout_everywhere', now)
      await source.claim('a', now + MINUTE, now)
      for (let i = 0; i < 3; i += 1) await store.endByUser(ANN, 'logout_everywhere', now)
      await store.claim('a', now + HOUR, now)
      await copy(source, store, now)
      assert.deepEqual([await store.epoch(), await store.epoch(ANN), await store.epoch(BOB)], [3, 3, 0])
      assert.equal(await store.claim('a', now + DAY, now + HOUR - 1), false)
      assert.equal(await store.claim('a', now + DAY, now + HOUR), true)
    },
  },
  {
    name: 'of an ending and a copy at the same time the ending wins',
    needs: 'copy',
    async run({ store, other, clock }) {
      const now = clock.now()
      const target = copyable(store)
      for (let round = 0; round < 30; round += 1) {
        const record = sampleSession(now, { userId: `user${round}` })
        await store.create(record)
        const later = { kind: 'session', record: { ...record, version: 9 }, ended: null } as const
        const importing = async (): Promise<number> => {
          await turns(round % 6)
          return target.importEntries([later], now)
        }
        await Promise.all([importing(), other.end(record.key, 'logout', now)])
        await assertEnded(store, record.key, now, 'logout')
      }
    },
  },
]

interface Sample {
  readonly live: readonly SessionRecord[]
  /** Reason of each: logout, rotated, idle timeout. */
  readonly ended: readonly [SessionRecord, SessionRecord, SessionRecord]
}

/** More than two pages of everything. */
async function fill(store: Store, now: number): Promise<Sample> {
  const fields = new Map([
    ['data:a.b', new Uint8Array(256).map((_, i) => i)],
    ['data:名前', new Uint8Array()],
  ])
  const special = sampleSession(now, { userId: null, collection: null, authTime: null, validatedAt: null, fields })
  const remembered = sampleSession(now, { remembered: true, cookie: 14 * DAY, amr: ['pwd', 'otp'], device: 'Ünïcode' })
  const many = Array.from({ length: 47 }, (_, i) => sampleSession(now - i, { userId: `user${i % 10}` }))
  const old = sampleSession(now, { userId: ANN })
  const next = sampleSession(now, { userId: ANN, key: successorKey(old.key) })
  const [out, revoked] = [sampleSession(now, { userId: ANN }), sampleSession(now, { userId: BOB })]
  const idle = sampleSession(now - 3 * HOUR, { userId: BOB })
  for (const record of [special, remembered, ...many, old, out, revoked, idle]) await store.create(record)
  await store.replace(old.key, next, {}, now)
  await store.end(out.key, 'logout', now)
  for (let i = 0; i < 20; i += 1) await store.endByUser(`nobody${i}`, 'password_reset', now)
  assert.equal(await store.endByUser(BOB, 'admin_revoked', now), 1)
  for (let i = 0; i < 20; i += 1) await store.claim(`claim ${i}`, now + HOUR + i, now)
  return { live: [special, remembered, ...many, next], ended: [out, old, idle] }
}

async function assertCopied(
  store: Store,
  { live, ended }: Sample,
  { now, epoch }: { readonly now: number; readonly epoch: number },
): Promise<void> {
  for (const record of live) assertSameRecord(await assertLive(store, record.key, now), record)
  for (const [i, reason] of (['logout', 'rotated', 'idle_timeout'] as const).entries()) {
    await assertEnded(store, ended[i]?.key ?? '', now, reason)
  }
  const mine = live.filter(({ userId }) => userId === 'user6').map(columnsOf)
  assert.deepEqual(await store.listByUser('user6', now), mine)
  assert.deepEqual((await store.listByUser(BOB, now)).length, 0)
  assert.equal(await store.epoch(), epoch)
  for (const [i, userId] of ['nobody0', 'nobody19'].entries()) assert.equal(await store.epoch(userId), 1 + i * 19)
  assert.equal(await store.epoch(BOB), epoch)
  assert.equal(await store.epoch(ANN), 0)
}

/** What was copied is as good as what was made here. */
async function assertAtWork(store: Store, { live, ended }: Sample, now: number): Promise<void> {
  assert.equal(await store.claim('claim 19', now + DAY, now + HOUR + 18), false)
  assert.equal(await store.claim('claim 19', now + DAY, now + HOUR + 19), true)
  await assert.rejects(async () => store.create(ended[0]), 'an ended key was created anew')
  assert.equal(await store.endByUser('user6', 'logout_everywhere', now), 5)
  assert.deepEqual(await store.listByUser('user6', now), [])
  for (let step = 0; step < 10; step += 1) await store.deleteExpired(now + DAY, 1000)
  for (const { key } of [...live, ...ended]) await assertNone(store, key, now)
  assert.deepEqual((await store.scan(null, 100)).sessions, [])
}

function copy(from: Store, to: Store, now: number) {
  return copySessions(copyable(from), copyable(to), { now: () => now, pageSize: 7 })
}

function copyable(store: Store): CopyableStore {
  if (!isCopyable(store)) throw new TypeError('the case needs a store that can be copied')
  return store
}
