// The contract of a user's sessions: the index, ending them all, and the epochs that stop a late sign-in.

import assert from 'node:assert/strict'
import type { Store } from '../sessions/store.ts'
import { assertEnded, assertLive } from './assert-find.ts'
import { columnsOf, DAY, HOUR, MINUTE, sampleSession, successorKey } from './sample-session.ts'
import { turns } from './turns.ts'
import type { StoreCase } from './store-case.ts'

const ANN = 'user0000000ann0'
const BOB = 'user0000000bob0'

export const userCases: readonly StoreCase[] = [
  {
    name: "lists a user's live sessions, newest first, by their plain columns",
    async run({ store, other, clock }) {
      const now = clock.now()
      const records = [2, 0, 1].map((i) => sampleSession(now - i * MINUTE, { userId: ANN }))
      const unlisted = [
        sampleSession(now, { userId: BOB }),
        sampleSession(now, { userId: null }),
        sampleSession(now - DAY, { userId: ANN }),
        sampleSession(now - 3 * HOUR, { userId: ANN }),
      ]
      for (const record of [...records, ...unlisted]) await store.create(record)
      const expected = records.toSorted((a, b) => b.createdAt - a.createdAt).map(columnsOf)
      assert.deepEqual([...(await other.listByUser(ANN, now))], expected)
      assert.deepEqual([...(await store.listByUser('nobody', now))], [])
    },
  },
  {
    name: "a user's sessions are found after every way into and out of being",
    async run({ store, other, clock }) {
      const now = clock.now()
      const anonymous = sampleSession(now, { userId: null })
      const signedIn = sampleSession(now, { userId: ANN, key: successorKey(anonymous.key) })
      const rotated = sampleSession(now, { userId: ANN, key: successorKey(anonymous.key) })
      const listed = async () => (await other.listByUser(ANN, now)).map(({ key }) => key)
      await store.create(anonymous)
      await store.replace(anonymous.key, signedIn, {}, now)
      assert.deepEqual(await listed(), [signedIn.key])
      await store.update(signedIn.key, { columns: { device: 'Chrome on Android' } }, now)
      assert.deepEqual(await listed(), [signedIn.key])
      await store.replace(signedIn.key, rotated, {}, now)
      assert.deepEqual(await listed(), [rotated.key])
      await store.end(rotated.key, 'logout', now)
      assert.deepEqual(await listed(), [])
    },
  },
  {
    name: 'ends all live sessions of a user but the one excepted, and nobody else',
    async run({ store, other, clock }) {
      const now = clock.now()
      const mine = Array.from({ length: 5 }, () => sampleSession(now, { userId: ANN }))
      const [kept, gone] = [mine[0], mine[1]]
      assert.ok(kept && gone)
      const bobs = sampleSession(now, { userId: BOB })
      const nobodys = sampleSession(now, { userId: null })
      for (const record of [...mine, bobs, nobodys]) await store.create(record)
      await store.end(gone.key, 'logout', now)
      assert.equal(await other.endByUser(ANN, 'logout_everywhere', now, { exceptKey: kept.key }), 3)
      for (const { key } of [kept, bobs, nobodys]) await assertLive(store, key, now)
      await assertEnded(store, gone.key, now, 'logout')
      for (const { key } of mine.slice(2)) await assertEnded(store, key, now, 'logout_everywhere')
      assert.equal(await store.endByUser(ANN, 'admin_revoked', now), 1)
      assert.equal(await store.endByUser(ANN, 'admin_revoked', now), 0)
      await assertEnded(store, kept.key, now, 'admin_revoked')
    },
  },
  {
    name: 'ends all of the sessions that a replace made',
    async run({ store, clock }) {
      const now = clock.now()
      const old = sampleSession(now, { userId: ANN })
      const next = sampleSession(now, { userId: ANN, key: successorKey(old.key) })
      await store.create(old)
      await store.replace(old.key, next, {}, now)
      assert.equal(await store.endByUser(ANN, 'password_reset', now), 1)
      await assertEnded(store, next.key, now, 'password_reset')
      await assertEnded(store, old.key, now, 'rotated')
    },
  },
  {
    name: 'raises its epoch by one and notes it for the user each time that all are ended',
    async run({ store, other, clock }) {
      const start = await store.epoch()
      assert.equal(await store.epoch(ANN), 0)
      await store.endByUser(ANN, 'logout_everywhere', clock.now())
      assert.deepEqual([await other.epoch(), await other.epoch(ANN), await other.epoch(BOB)], [start + 1, start + 1, 0])
      await other.endByUser(BOB, 'logout_everywhere', clock.now())
      assert.deepEqual(
        [await store.epoch(), await store.epoch(ANN), await store.epoch(BOB)],
        [start + 2, start + 1, start + 2],
      )
      await store.endByUser(ANN, 'logout_everywhere', clock.now())
      assert.equal(await store.epoch(ANN), start + 3)
    },
  },
  {
    name: "keeps a user's epoch for at least a day",
    async run({ store, clock }) {
      await store.endByUser(ANN, 'logout_everywhere', clock.now())
      const epoch = await store.epoch(ANN)
      clock.advance(DAY - 1)
      await store.deleteExpired(clock.now(), 100)
      assert.equal(await store.epoch(ANN), epoch)
    },
  },
  {
    name: 'a sign-in that began before all sessions were ended is ended or sees the larger epoch',
    async run({ store, other, clock }) {
      const now = clock.now()
      for (let round = 0; round < 60; round += 1) {
        const userId = `user${round}`
        await store.create(sampleSession(now, { userId }))
        const [late] = await Promise.all([signIn(other, userId, now, round), endAll(store, userId, now, round)])
        if (late.isRefused || (await store.find(late.key, now))?.live === undefined) continue
        const endedAt = await store.epoch(userId)
        assert.ok(endedAt <= late.before, `round ${round}: a sign-in slipped past the ending of all sessions`)
      }
    },
  },
]

/** Both begin together, each with a head start in some rounds. */
async function endAll(store: Store, userId: string, now: number, round: number): Promise<void> {
  await turns(Math.floor(round / 6) % 6)
  await store.endByUser(userId, 'password_changed', now)
}

/** As the session manager signs in: it refuses where the user's sessions were all ended since it began. */
async function signIn(store: Store, userId: string, now: number, round: number) {
  const before = await store.epoch()
  await turns(round % 6)
  const record = sampleSession(now, { userId })
  await store.create(record)
  return { before, key: record.key, isRefused: (await store.epoch(userId)) > before }
}
