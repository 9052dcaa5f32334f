// The store contract on a cluster of three masters, with a replica each.

import { after, before, describe } from 'node:test'
import { testStore } from '../../server/testing.ts'
import { startRedisCluster, type RedisCluster } from '../support/redis-cluster.ts'
import { cachedRedisPlace } from '../support/redis-cached-place.ts'
import { redisPlace } from '../support/redis-place.ts'

describe('a Redis Cluster', () => {
  let cluster: RedisCluster
  before(async () => {
    cluster = await startRedisCluster()
  })
  after(() => cluster.stop())

  testStore('redis', () => redisPlace(cluster.url))
  testStore('redis with rows kept in the process', () => cachedRedisPlace(cluster.url))
})
