// express-session with connect-redis.

import { RedisStore } from 'connect-redis'
import { createClient } from 'redis'
import { serveExpressSession, task } from './serve.mjs'

const client = createClient({ url: task.store })
client.on('error', () => process.exit(1))
await client.connect()
await serveExpressSession(new RedisStore({ client, prefix: `bench-${process.pid}:` }))
