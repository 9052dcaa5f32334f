// Redis with several servers, under load: what Sentinel and a Cluster do when a server dies, and when slots move.

import { after, before, describe } from 'node:test'
import { keySlot } from '../../server/stores/redis/key-slot.ts'
import { faultTests } from '../support/fault-report.ts'
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.ts'
import { startRedisSentinels, type RedisSentinels } from '../support/redis-sentinels.ts'
import { until } from '../support/redis-server.ts'

const SLOTS_MOVED = 20

const faults = faultTests()

describe('Redis behind Sentinel under load', () => {
  let redis: RedisSentinels
  before(async () => {
    redis = await startRedisSentinels()
  })
  after(() => redis?.stop())

  faults.test('redis sentinel', () => redis.url, {
    name: 'master killed, failover',
    isFelt: true,
    run: async () => {
      const old = await redis.master()
      await old.kill()
      await until('there is a new master', async () => (await redis.master()) !== old)
      return performance.now()
    },
  })
})

describe('a Redis Cluster under load', () => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await startRedisCluster()
  })
  after(() => cluster?.stop())

  faults.test('redis cluster', () => cluster.url, {
    name: `${SLOTS_MOVED} slots moved`,
    isFelt: false,
    run: async () => {
      const moved = await slotsInUse(cluster)
      for (const slot of moved) {
        const from = await cluster.masterOf(slot)
        const to = await cluster.masterOf((slot + 6000) % 16_384)
        if (from !== to) await cluster.moveSlot(slot, to)
      }
      return performance.now()
    },
  })

  faults.test('redis cluster', () => cluster.url, {
    name: 'a master killed, failover',
    isFelt: true,
    run: async () => {
      const old = await cluster.masterOf(0)
      await old.kill()
      await until('its replica has taken over', async () => (await cluster.masterOf(0)) !== old)
      const mendedAt = performance.now()
      // Until it is back, nobody is there to confirm the writes of its successor.
      await old.restart()
      return mendedAt
    },
  })
})

/** Slots of rows, and of what belongs to users. */
async function slotsInUse({ nodes }: RedisCluster): Promise<readonly number[]> {
  const keys = (await Promise.all(nodes.map((node) => node.run('KEYS', 'pbs:*')))) as string[][] // names of keys
  return [...new Set(keys.flat().map(keySlot))].slice(0, SLOTS_MOVED)
}
