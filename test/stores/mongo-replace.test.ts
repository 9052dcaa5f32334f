// A replace takes three steps in MongoDB. Whatever happens between two of them, one of the two sessions is live, never both.

import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import type { SessionRecord } from '../../server/sessions/record.ts'
import type { Store } from '../../server/sessions/store.ts'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { createClock, sampleSession } from '../../server/testing.ts'
import { mongoPlace, PATIENT_MS, withMongo, type MongoPlace } from '../support/mongo-place.ts'
import { startMongoServer, type MongoServer } from '../support/mongo-server.ts'
import { dieAfter, holdAfter, openSteppedStore, type SteppedStore } from '../support/mongo-steps.ts'

const ANN = 'user0000000ann0'
const HOUR = 3_600_000
const now = createClock().now()

/** The commands of a replace. */
const INSERTED = 1
const COMMITTED = 2

describe('a replace in MongoDB', () => {
  let server: MongoServer
  let place: MongoPlace
  let dying: SteppedStore
  let store: Store
  let old: SessionRecord
  let next: SessionRecord

  before(async () => {
    server = await startMongoServer()
    place = mongoPlace(server.url)
    dying = await openSteppedStore(place.url)
    store = await createMongoStore({ url: place.url, timeoutMs: PATIENT_MS })
    await store.open()
  })
  after(async () => {
    await dying.close()
    await store.close()
    await server.stop()
  })
  beforeEach(async () => {
    dying.before(undefined)
    old = sampleSession(now, { userId: ANN })
    next = sampleSession(now, { userId: ANN })
    await dying.create(old)
  })
  afterEach(async () => {
    await store.endByUser(ANN, 'logout_everywhere', now)
  })

  const replaceAndDie = async (steps: number): Promise<void> => {
    dying.before(dieAfter(steps))
    const replacing = async () => dying.replace(old.key, next, { ifVersion: 1 }, now)
    if (steps < COMMITTED) await assert.rejects(replacing)
    else assert.equal(await replacing(), 'replaced')
  }
  const isLive = async (key: string) => (await store.find(key, now))?.live !== undefined
  const listed = async () => (await store.listByUser(ANN, now)).map(({ key }) => key)
  const scanned = async () => (await store.scan(null, 10_000)).sessions.map(({ key }) => key)

  for (const steps of [0, INSERTED]) {
    describe(`of a process that dies after ${steps} of its steps`, () => {
      beforeEach(() => replaceAndDie(steps))

      test('leaves the old session live, and nothing shows the new one', async () => {
        assert.deepEqual([await isLive(old.key), await store.find(next.key, now)], [true, undefined])
        assert.deepEqual(await listed(), [old.key])
        assert.ok(!(await scanned()).includes(next.key))
      })

      test('leaves nothing under the new key that could be changed or ended', async () => {
        const touch = { key: next.key, lastSeenAt: now + 1, idleExpiresAt: now + 3 * HOUR }
        assert.equal(await store.update(next.key, { set: new Map() }, now), 'gone')
        assert.equal(await store.end(next.key, 'logout', now), 0)
        assert.equal(await store.replace(next.key, sampleSession(now), {}, now), 'gone')
        await store.touch([touch], now)
        assert.equal(await store.find(next.key, now), undefined)
      })

      test('leaves the old session as it was: it can be changed, replaced and ended', async () => {
        assert.equal(await store.update(old.key, { ifVersion: 1 }, now), 2)
        const another = sampleSession(now, { userId: ANN })
        assert.equal(await store.replace(old.key, another, { ifVersion: 2 }, now), 'replaced')
        assert.equal(await store.end(another.key, 'logout', now), 1)
        assert.equal(await store.find(next.key, now), undefined)
        assert.deepEqual(await listed(), [])
      })

      test('lets the key be created once the replace can no longer come', async () => {
        await store.end(old.key, 'logout', now)
        await store.create(next)
        assert.equal(await isLive(next.key), true)
      })

      test('leaves nothing that is live after all sessions of the user were ended', async () => {
        await store.endByUser(ANN, 'password_changed', now)
        assert.deepEqual([await isLive(old.key), await isLive(next.key)], [false, false])
      })
    })
  }

  describe('of a process that dies after the step that commits', () => {
    beforeEach(() => replaceAndDie(COMMITTED))

    test('leaves the new session live, and the old one rotated', async () => {
      assert.equal((await store.find(old.key, now))?.ended?.reason, 'rotated')
      assert.equal(await isLive(next.key), true)
    })

    test('is listed and scanned before anybody has looked at the session', async () => {
      assert.deepEqual(await listed(), [next.key])
      assert.ok((await scanned()).includes(next.key))
    })

    test('can be changed before anybody has looked', async () => {
      assert.equal(await store.update(next.key, { set: new Map(), ifVersion: 1 }, now), 2)
      assert.equal(await isLive(next.key), true)
    })

    test('can be touched before anybody has looked', async () => {
      const touch = { key: next.key, lastSeenAt: now + 1, idleExpiresAt: now + 3 * HOUR }
      await store.touch([touch], now)
      assert.equal((await store.find(next.key, now))?.live?.idleExpiresAt, touch.idleExpiresAt)
    })

    test('can be ended before anybody has looked', async () => {
      assert.equal(await store.end(next.key, 'logout', now), 1)
      assert.equal((await store.find(next.key, now))?.ended?.reason, 'logout')
    })

    test('can be replaced before anybody has looked', async () => {
      const another = sampleSession(now, { userId: ANN })
      assert.equal(await store.replace(next.key, another, { ifVersion: 1 }, now), 'replaced')
      assert.deepEqual([await isLive(next.key), await isLive(another.key)], [false, true])
    })

    test('is ended with all sessions of the user before anybody has looked', async () => {
      assert.equal(await store.endByUser(ANN, 'password_changed', now), 1)
      assert.equal((await store.find(next.key, now))?.ended?.reason, 'password_changed')
      assert.deepEqual(await listed(), [])
    })

    test('keeps its key taken', async () => {
      await assert.rejects(async () => store.create(sampleSession(now, { key: next.key })))
    })

    test('outlives the old row: what the new one asks for is kept as long as the new one', async () => {
      const short = sampleSession(now, { userId: ANN, expiresAt: now + HOUR })
      const long = sampleSession(now, { userId: ANN, idleExpiresAt: now + 20 * HOUR })
      dying.before(undefined)
      await dying.create(short)
      dying.before(dieAfter(COMMITTED))
      await dying.replace(short.key, long, {}, now)
      await store.deleteExpired(now + 2 * HOUR, 1000)
      assert.equal((await store.find(long.key, now + 2 * HOUR))?.live?.key, long.key)
    })
  })

  test('that waits for its commit makes no live session after all of the user were ended', async () => {
    const anonymous = sampleSession(now, { userId: null, collection: null })
    await dying.create(anonymous)
    const hold = holdAfter(INSERTED)
    dying.before(hold.step)
    const signingIn = dying.replace(anonymous.key, next, {}, now)
    await hold.reached
    await store.endByUser(ANN, 'password_changed', now)
    hold.release()
    assert.equal(await signingIn, 'replaced')
    assert.equal((await store.find(next.key, now))?.ended?.reason, 'password_changed')
  })

  test('that finds its session ended or changed takes its successor away again', async () => {
    for (const spoil of [() => store.end(old.key, 'revoked', now), () => store.update(old.key, {}, now)]) {
      await dying.create((old = sampleSession(now, { userId: ANN })))
      const hold = holdAfter(INSERTED)
      dying.before(hold.step)
      const replacing = dying.replace(old.key, next, { ifVersion: 1 }, now)
      await hold.reached
      await spoil()
      hold.release()
      assert.ok(['gone', 'conflict'].includes(await replacing))
      const left = await withMongo(place.url, (db) =>
        db.collection('pbs_sessions').countDocuments({ handle: next.handle }),
      )
      assert.equal(left, 0)
      dying.before(undefined)
    }
  })

  test('that waits for its commit makes whoever creates the same key wait, not fail', async () => {
    const hold = holdAfter(INSERTED)
    dying.before(hold.step)
    const replacing = dying.replace(old.key, next, { ifVersion: 1 }, now)
    await hold.reached
    await store.update(old.key, {}, now)
    const creating = store.create(next)
    hold.release()
    assert.equal(await replacing, 'conflict')
    await creating
    assert.equal(await isLive(next.key), true)
  })
})
