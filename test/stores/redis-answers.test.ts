// An answer of Redis that is lost after the write says nothing: what can tell that it was done is asked again, the rest is an
// error. And what others see while a session is half-way into being.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../server/sessions/store.ts'
import { createRedisStore } from '../../server/stores/redis.ts'
import { CLAIM, CREATE, END, HIT, REPLACE, UPDATE } from '../../server/stores/redis/scripts.ts'
import { sampleSession } from '../../server/testing.ts'
import { holdBack, loseAnswerOf, openStoreAround, type Around } from '../support/redis-links.ts'
import { redisPlace, type RedisPlace } from '../support/redis-place.ts'
import { startRedisServer, type RedisServer } from '../support/redis-server.ts'

const USER = 'user0000000ann0'
const MINUTE = 60_000
const untouched: Around = (command, send) => send(command)

interface Pair {
  /** Its commands go through `around`. */
  readonly store: Store
  /** Another process. */
  readonly other: Store
  readonly now: number
}

describe('an answer of Redis is lost after the write', () => {
  const withStores = ownServer()

  test('a creation is asked again, and finds its own session', async () => {
    await withStores(loseAnswerOf(CREATE), async ({ store, other, now }) => {
      const record = sampleSession(now)
      await store.create(record)
      assert.equal((await other.find(record.key, now))?.live?.version, 1)
    })
  })

  test("a creation is still refused where the key is somebody else's", async () => {
    await withStores(loseAnswerOf(CREATE), async ({ store, other, now }) => {
      const record = sampleSession(now)
      await other.create(record)
      await assert.rejects(async () => store.create(record), /exists already/)
    })
  })

  test('a rotation is asked again, and finds its own successor', async () => {
    await withStores(loseAnswerOf(REPLACE), async ({ store, other, now }) => {
      const old = sampleSession(now)
      const next = sampleSession(now, { key: old.key.slice(0, 3) + sampleSession(now).key.slice(3) })
      await other.create(old)
      assert.equal(await store.replace(old.key, next, { ifVersion: 1 }, now), 'replaced')
      assert.equal((await other.find(old.key, now))?.ended?.reason, 'rotated')
      assert.ok((await other.find(next.key, now))?.live)
    })
  })

  test('an ending is asked again, and counts once', async () => {
    await withStores(loseAnswerOf(END), async ({ store, other, now }) => {
      const record = sampleSession(now)
      await other.create(record)
      assert.equal(await store.end(record.key, 'logout', now), 1)
      assert.equal((await other.find(record.key, now))?.ended?.reason, 'logout')
    })
  })

  test('an ending of all counts each session once, and its epoch is noted', async () => {
    for (const lost of [END, 'INCR'] as const) {
      await withStores(loseAnswerOf(lost), async ({ store, other, now }) => {
        for (let i = 0; i < 3; i += 1) await other.create(sampleSession(now, { userId: USER }))
        assert.equal(await store.endByUser(USER, 'logout_everywhere', now), 3)
        assert.equal(await other.epoch(USER), await other.epoch())
      })
    }
  })

  test('a claim is asked again by the one who has it', async () => {
    await withStores(loseAnswerOf(CLAIM), async ({ store, other, now }) => {
      assert.equal(await store.claim('token', now + MINUTE, now), true)
      assert.equal(await other.claim('token', now + MINUTE, now), false)
    })
  })

  test('an update is an error and is not sent again: it might undo what another request wrote', async () => {
    await withStores(loseAnswerOf(UPDATE), async ({ store, other, now }) => {
      const record = sampleSession(now)
      await other.create(record)
      await assert.rejects(async () => store.update(record.key, { set: new Map([['a', Uint8Array.of(1)]]) }, now))
      assert.equal((await other.find(record.key, now))?.live?.version, 2)
    })
  })

  test('a hit is an error and is not counted twice', async () => {
    await withStores(loseAnswerOf(HIT), async ({ store, other, now }) => {
      await assert.rejects(async () => store.hit('login', MINUTE, now))
      assert.equal((await other.hit('login', MINUTE, now, 0)).count, 1)
    })
  })
})

describe('while a session is half-way into being', () => {
  const withStores = ownServer()

  test('a list does not forget its entry', async () => {
    const hold = holdBack(CREATE)
    await withStores(hold.around, async ({ store, other, now }) => {
      const record = sampleSession(now, { userId: USER })
      const creating = store.create(record)
      await hold.arrived
      assert.deepEqual(await other.listByUser(USER, now), [])
      assert.deepEqual(await other.listByUser(USER, now), [])
      hold.release()
      await creating
      assert.deepEqual(
        (await other.listByUser(USER, now)).map(({ key }) => key),
        [record.key],
      )
      assert.equal(await other.endByUser(USER, 'logout_everywhere', now), 1)
    })
  })

  test('an ending of all that does not see it is seen by its sign-in', async () => {
    const hold = holdBack(CREATE)
    await withStores(hold.around, async ({ store, other, now }) => {
      const before = await store.epoch()
      const creating = store.create(sampleSession(now, { userId: USER }))
      await hold.arrived
      assert.equal(await other.endByUser(USER, 'password_changed', now), 0)
      hold.release()
      await creating
      assert.ok((await store.epoch(USER)) > before)
    })
  })

  test("a key that was refused is in nobody else's list, and not ended with their sessions", async () => {
    await withStores(untouched, async ({ store, other, now }) => {
      const record = sampleSession(now, { userId: USER })
      await store.create(record)
      await assert.rejects(async () => other.create({ ...record, userId: 'somebody else' }))
      assert.deepEqual(await other.listByUser('somebody else', now), [])
      await assert.rejects(async () => other.create({ ...record, userId: 'somebody else' }))
      assert.equal(await other.endByUser('somebody else', 'logout_everywhere', now), 0)
      assert.ok((await store.find(record.key, now))?.live)
    })
  })
})

/** A server for the tests of a group; each test has two stores in a place of its own. */
function ownServer() {
  let server: RedisServer
  before(async () => {
    server = await startRedisServer()
  })
  after(() => server.stop())

  return async (around: Around, run: (pair: Pair) => Promise<void>): Promise<void> => {
    const place: RedisPlace = redisPlace(server.url)
    const store = await openStoreAround(place.url, around)
    const other = await createRedisStore({ url: place.url })
    await other.open()
    try {
      await run({ store, other, now: Date.now() })
    } finally {
      store.close()
      await other.close()
      await place.dispose()
    }
  }
}
