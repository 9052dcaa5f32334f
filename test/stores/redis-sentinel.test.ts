// The store contract on the master that three sentinels name.

import { after, before, describe } from 'node:test'
import { testStore } from '../../server/testing.ts'
import { cachedRedisPlace } from '../support/redis-cached-place.ts'
import { redisPlace } from '../support/redis-place.ts'
import { startRedisSentinels, type RedisSentinels } from '../support/redis-sentinels.ts'

describe('Redis behind Sentinel', () => {
  let redis: RedisSentinels
  before(async () => {
    redis = await startRedisSentinels()
  })
  after(() => redis.stop())

  testStore('redis', () => redisPlace(redis.url))
  testStore('redis with rows kept in the process', () => cachedRedisPlace(redis.url))
})
