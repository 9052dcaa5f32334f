// What happens to a Redis server, seen from the store: every call is answered within its deadline, all is well by itself soon
// after the server is back, and what was acknowledged is still true.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../server/sessions/store.ts'
import { createRedisStore } from '../../server/stores/redis.ts'
import { keySlot } from '../../server/stores/redis/key-slot.ts'
import { sampleSession } from '../../server/testing.ts'
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.ts'
import { replicasOf, startRedisSentinels, type RedisSentinels } from '../support/redis-sentinels.ts'
import { startRedisServer, until, type RedisServer } from '../support/redis-server.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { startSessionLoad, type SessionLoad } from '../support/session-load.ts'

const TIMEOUT_MS = 1000
const WELL_AGAIN_MS = 5000

describe('one Redis server', () => {
  let server: RedisServer
  before(async () => {
    server = await startRedisServer()
  })
  after(() => server.stop())

  test('stalls, and goes on', () =>
    withLoad(server.url, async (load) => {
      server.pause()
      await load.untilFailed(40)
      server.resume()
      assertSoon(await load.untilWell(100))
    }))

  test('is killed, and started again', () =>
    withLoad(server.url, async (load) => {
      await server.kill()
      await load.untilFailed(40)
      await server.restart()
      assertSoon(await load.untilWell(100))
    }))

  test('closes all connections', () =>
    withLoad(server.url, async (load) => {
      for (let i = 0; i < 20; i += 1) {
        await server.run('CLIENT', 'KILL', 'TYPE', 'normal')
        assertSoon(await load.untilWell(10))
      }
    }))

  test('goes silent behind a network that forgets its connections', async () => {
    const proxy = await startTcpProxy(server)
    try {
      await withLoad(`redis://127.0.0.1:${proxy.port}`, async (load) => {
        proxy.swallow()
        await load.untilFailed(40)
        proxy.heal()
        assertSoon(await load.untilWell(100))
      })
    } finally {
      await proxy.close()
    }
  })

  test('has done what its lost answers would have said', async () => {
    const proxy = await startTcpProxy(server)
    try {
      await withLoad(`redis://127.0.0.1:${proxy.port}`, async (load) => {
        for (let i = 0; i < 20; i += 1) {
          proxy.loseNextAnswer()
          await proxy.answerLost()
          assertSoon(await load.untilWell(10))
        }
      })
    } finally {
      await proxy.close()
    }
  })

  test('is not there yet when the store is opened', async () => {
    await server.kill()
    const store = await createRedisStore({ url: server.url, timeoutMs: TIMEOUT_MS })
    try {
      await assert.rejects(async () => store.open())
      await assert.rejects(async () => store.find(sampleSession(Date.now()).key, Date.now()))
      await server.restart()
      await until('the store is well by itself', () => succeeds(() => store.ping()))
    } finally {
      await store.close()
    }
  })
})

describe('Redis behind Sentinel', () => {
  let redis: RedisSentinels
  before(async () => {
    redis = await startRedisSentinels()
  })
  after(() => redis.stop())

  test('has no replica for a while: what must be safe is not acknowledged, what is read is answered at once', async () => {
    const [, ...replicas] = redis.servers
    const store = await createRedisStore({ url: redis.url, timeoutMs: 4 * TIMEOUT_MS })
    const now = Date.now()
    const record = sampleSession(now)
    await store.open()
    try {
      await store.create(record)
      for (const replica of replicas) replica.pause()
      const creating = assert.rejects(async () => store.create(sampleSession(now)), { name: 'UnconfirmedWriteError' })
      const start = performance.now()
      for (let i = 0; i < 20; i += 1) assert.ok((await store.find(record.key, now))?.live)
      assert.ok(performance.now() - start < TIMEOUT_MS, 'reads wait behind writes')
      await creating
      await assert.rejects(async () => store.end(record.key, 'logout', now), { name: 'UnconfirmedWriteError' })
      for (const replica of replicas) replica.resume()
      await until('writes are confirmed again', () => succeeds(() => store.create(sampleSession(now))))
    } finally {
      for (const replica of replicas) replica.resume()
      await store.close()
    }
  })

  test('loses its master, and gets another', () =>
    withLoad(redis.url, async (load) => {
      const old = await redis.master()
      await old.kill()
      await until('there is a new master', async () => (await redis.master()) !== old)
      assertSoon(await load.untilWell(50))
      await old.restart()
      await until('the old one is a replica', async () => (await replicasOf(await redis.master())) === 2)
    }))

  test('stalls at its master, gets another, and does not go back to the old one', () =>
    withLoad(redis.url, async (load) => {
      const old = await redis.master()
      old.pause()
      await until('there is a new master', async () => (await redis.master()) !== old)
      assertSoon(await load.untilWell(50))
      old.resume()
      assertSoon(await load.untilWell(50))
    }))
})

describe('a Redis Cluster', () => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await startRedisCluster()
  })
  after(() => cluster.stop())

  test('moves a slot while its sessions are in use', () =>
    withLoad(cluster.url, async (_, store) => {
      const now = Date.now()
      const sessions = Array.from({ length: 20 }, () => sampleSession(now))
      const tag = sessions[0]?.key.slice(0, 3) ?? ''
      const keys = sessions.map(({ key }) => tag + key.slice(3))
      for (const [i, record] of sessions.entries()) await store.create({ ...record, key: keys[i] ?? '' })
      const slot = keySlot(`{${tag}}`)
      const from = await cluster.masterOf(slot)
      const to = await cluster.masterOf(((slot + 16_384 / 3) % 16_384) | 0)
      assert.notEqual(from, to)
      const useAll = async (version: number): Promise<void> => {
        for (const key of keys) {
          assert.equal(await store.update(key, { set: new Map([['data:a', Uint8Array.of(version)]]) }, now), version)
          assert.equal((await store.find(key, now))?.live?.version, version)
        }
      }
      await cluster.moveSlot(slot, to, async () => {
        await useAll(2)
        await store.create({ ...sampleSession(now), key: tag + sampleSession(now).key.slice(3) })
      })
      await useAll(3)
      assert.equal(await cluster.masterOf(slot), to)
      for (const key of keys) assert.equal(await store.end(key, 'logout', now), 1)
    }))

  test('loses a master, and its replica takes over', () =>
    withLoad(cluster.url, async (load) => {
      const old = await cluster.masterOf(0)
      await old.kill()
      await until('the replica has taken over', async () => (await cluster.masterOf(0)) !== old)
      // Until the old one is back there is no replica that could confirm a write.
      await old.restart()
      await until('it is the replica', async () => (await replicasOf(await cluster.masterOf(0))) === 1)
      assertSoon(await load.untilWell(50))
      // A process that starts now finds its way too.
      const other = await createRedisStore({ url: cluster.url, timeoutMs: TIMEOUT_MS })
      await other.open()
      await other.close()
    }))
})

async function withLoad(url: string, run: (load: SessionLoad, store: Store) => Promise<void>): Promise<void> {
  const store = await createRedisStore({ url, timeoutMs: TIMEOUT_MS })
  await store.open()
  const load = startSessionLoad(store)
  try {
    await load.untilWell(20)
    await run(load, store)
    await load.stop()
    assert.ok(load.longestMs() < TIMEOUT_MS + 1000, `a call took ${Math.round(load.longestMs())} ms`)
    await load.assertNothingLost(store)
  } finally {
    await load.stop()
    await store.close()
  }
}

function assertSoon(ms: number): void {
  assert.ok(ms < WELL_AGAIN_MS, `it was well again after ${Math.round(ms)} ms only`)
}

async function succeeds(work: () => unknown): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    return false // not yet
  }
}
