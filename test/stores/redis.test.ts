// The store contract on a real Redis server, and on what TEST_REDIS_URL names.

import { after, before, describe } from 'node:test'
import { testStore } from '../../server/testing.ts'
import { cachedRedisPlace } from '../support/redis-cached-place.ts'
import { redisPlace } from '../support/redis-place.ts'
import { startRedisServer, type RedisServer } from '../support/redis-server.ts'

describe('a Redis of our own', () => {
  let server: RedisServer
  before(async () => {
    server = await startRedisServer()
  })
  after(() => server.stop())

  testStore('redis', () => redisPlace(server.url))
  testStore('redis with rows kept in the process', () => cachedRedisPlace(server.url))
})

const named = process.env['TEST_REDIS_URL']
if (named !== undefined && named !== '') {
  testStore('the Redis of TEST_REDIS_URL', () => redisPlace(named))
}
