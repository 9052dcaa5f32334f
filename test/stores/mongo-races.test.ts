// Fifty at once on one row of MongoDB: who wins, and that nobody wins twice.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../server/sessions/store.ts'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { sampleSession } from '../../server/testing.ts'
import { HOUR, newRow, now } from '../support/mongo-calls.ts'
import { mongoPlace, PATIENT_MS } from '../support/mongo-place.ts'
import { startMongoServer, type MongoServer } from '../support/mongo-server.ts'
import { holdAfter, openSteppedStore } from '../support/mongo-steps.ts'

const CALLERS = 50
const ROUNDS = 5

describe('fifty callers at once', () => {
  let server: MongoServer
  let url: string
  let stores: readonly [Store, Store]
  before(async () => {
    server = await startMongoServer()
    ;({ url } = mongoPlace(server.url))
    const open = async (): Promise<Store> => {
      const store = await createMongoStore({ url, timeoutMs: PATIENT_MS })
      await store.open()
      return store
    }
    stores = [await open(), await open()]
  })
  after(async () => {
    for (const store of stores) await store.close()
    await server.stop()
  })

  const atOnce = <T>(call: (store: Store, i: number) => T | Promise<T>): Promise<readonly T[]> =>
    Promise.all(Array.from({ length: CALLERS }, async (_, i) => call(stores[i % 2 === 0 ? 0 : 1], i)))
  const each = async (round: () => Promise<void>): Promise<void> => {
    for (let count = 0; count < ROUNDS; count += 1) await round()
  }

  test('of writers of one version exactly one wins', () =>
    each(async () => {
      const row = newRow()
      await stores[0].create(row)
      const answers = await atOnce((store, i) =>
        store.update(row.key, { set: new Map([['n', Uint8Array.of(i)]]), ifVersion: 1 }, now),
      )
      assert.deepEqual(
        answers.filter((answer) => answer !== 'conflict'),
        [2],
      )
      const found = (await stores[1].find(row.key, now))?.live
      assert.deepEqual([found?.version, found?.fields.get('n')?.[0]], [2, answers.indexOf(2)])
    }))

  test('no save that races a log-out brings the session back', () =>
    each(async () => {
      const row = newRow()
      await stores[0].create(row)
      const answers = await atOnce((store, i) =>
        i === CALLERS / 2 ? store.end(row.key, 'logout', now) : store.update(row.key, { set: new Map() }, now),
      )
      assert.equal(answers[CALLERS / 2], 1)
      assert.equal((await stores[1].find(row.key, now))?.ended?.reason, 'logout')
      assert.equal(await stores[1].update(row.key, {}, now), 'gone')
    }))

  test('of takers of one token exactly one wins, fresh and run out', () =>
    each(async () => {
      const name = newRow().handle
      for (const time of [now, now + HOUR]) {
        const won = await atOnce((store) => store.claim(name, time + HOUR, time))
        assert.equal(won.filter(Boolean).length, 1)
      }
    }))

  test('of replaces of one session exactly one wins, and leaves one session', () =>
    each(async () => {
      const row = newRow()
      await stores[0].create(row)
      const nexts = Array.from({ length: CALLERS }, () => sampleSession(now, { userId: row.userId }))
      const answers = await atOnce((store, i) => store.replace(row.key, nexts[i] ?? row, {}, now))
      assert.equal(answers.filter((answer) => answer === 'replaced').length, 1)
      const listed = await stores[1].listByUser(row.userId ?? '', now)
      assert.deepEqual(
        listed.map(({ key }) => key),
        [nexts[answers.indexOf('replaced')]?.key],
      )
    }))

  test('every sign-in that races a log-out everywhere is ended or sees the larger epoch', () =>
    each(async () => {
      const { userId } = newRow()
      assert.ok(userId !== null)
      const signIn = async (store: Store) => {
        const started = await store.epoch()
        const record = sampleSession(now, { userId })
        await store.create(record)
        return (await store.epoch(userId)) > started ? undefined : { key: record.key, started }
      }
      const signedIn = await atOnce(async (store, i) => {
        if (i !== CALLERS / 2) return signIn(store)
        await store.endByUser(userId, 'logout_everywhere', now)
        return undefined
      })
      const noted = await stores[0].epoch(userId)
      for (const session of signedIn) {
        if (session === undefined || (await stores[1].find(session.key, now))?.live === undefined) continue
        assert.ok(session.started >= noted, 'a sign-in slipped past the log-out everywhere')
      }
    }))

  test('no id that changes while all sessions of its user are ended slips through', () =>
    each(async () => {
      const rows = Array.from({ length: CALLERS - 1 }, () => sampleSession(now, { userId: 'ann' }))
      for (const row of rows) await stores[0].create(row)
      const nexts = rows.map(() => sampleSession(now, { userId: 'ann' }))
      await atOnce((store, i) => {
        const [row, next] = [rows[i], nexts[i]]
        if (row === undefined || next === undefined) return store.endByUser('ann', 'password_changed', now)
        return store.replace(row.key, next, {}, now)
      })
      assert.deepEqual(await stores[1].listByUser('ann', now), [])
    }))

  test('all sessions of a user are ended again and again until there are none', async (t) => {
    const ending = await openSteppedStore(url)
    t.after(() => ending.close())
    const [first, late] = [newRow(), newRow()].map((row) => ({ ...row, userId: 'bob' }))
    assert.ok(first && late)
    await stores[0].create(first)
    const hold = holdAfter(1)
    ending.before(hold.step)
    const ended = ending.endByUser('bob', 'password_changed', now)
    await hold.reached
    await stores[1].create(late)
    hold.release()
    assert.equal(await ended, 2)
    assert.deepEqual(await stores[1].listByUser('bob', now), [])
  })

  test('every hit is counted, by two nodes', () =>
    each(async () => {
      const name = newRow().handle
      const counts = await atOnce(async (store) => (await store.hit(name, HOUR, now)).count)
      assert.deepEqual(
        counts.toSorted((a, b) => a - b),
        Array.from({ length: CALLERS }, (_, i) => i + 1),
      )
    }))

  test('several nodes that delete at once delete everything, in bounded steps', async () => {
    const gone = Array.from({ length: 40 }, () => sampleSession(now, { expiresAt: now + 1 }))
    for (const row of gone) await stores[0].create(row)
    const deleteAll = async (store: Store): Promise<number> => {
      for (let total = 0; ;) {
        const count = await store.deleteExpired(now + 1, 7)
        assert.ok(count <= 7)
        if (count === 0) return total
        total += count
      }
    }
    const totals = await Promise.all(stores.map(deleteAll))
    assert.equal(totals[0] === undefined || totals[1] === undefined ? 0 : totals[0] + totals[1], gone.length)
    for (const { key } of gone) assert.equal(await stores[0].find(key, now), undefined)
  })
})
