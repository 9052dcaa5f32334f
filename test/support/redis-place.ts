// A place for the store contract in Redis, be it one server, sentinels or a cluster: keys under a prefix of their own.

import { randomBytes } from 'node:crypto'
import type { Store } from '../../server/sessions/store.ts'
import { parseRedisUrl } from '../../server/stores/redis/config.ts'
import type { RedisConnection } from '../../server/stores/redis/connection.ts'
import { createLink } from '../../server/stores/redis/create-link.ts'
import { loadRedisDriver } from '../../server/stores/redis/driver.ts'
import type { RedisLink } from '../../server/stores/redis/link.ts'
import { TimeLimit } from '../../server/stores/redis/time-limit.ts'
import { createRedisStore } from '../../server/stores/redis.ts'
import type { StorePlace } from '../../server/testing.ts'

export interface RedisPlace extends StorePlace {
  /** The URL with the prefix in it. */
  readonly url: string
  readonly prefix: string
  dump(): Promise<Uint8Array>
  dispose(): Promise<void>
}

const TIMEOUT_MS = 10_000
const READ: Readonly<Record<string, (key: string) => readonly string[]>> = {
  hash: (key) => ['HGETALL', key],
  zset: (key) => ['ZRANGE', key, '0', '-1', 'WITHSCORES'],
  string: (key) => ['GET', key],
}

/** Stores on a new prefix, each made by `connect`; `count` is how many there were before. */
export function redisPlace(
  base: string,
  connect: (url: string, count: number) => Store | Promise<Store> = (url) =>
    createRedisStore({ url, timeoutMs: TIMEOUT_MS, cacheBytes: 0 }),
): RedisPlace {
  const prefix = `test-${randomBytes(8).toString('hex')}:`
  const url = `${base}${base.includes('?') ? '&' : '?'}prefix=${prefix}`
  let count = 0
  return {
    url,
    prefix,
    connect: () => {
      count += 1
      return connect(url, count - 1)
    },
    dump: () =>
      withServers(url, async (servers) => Buffer.concat((await Promise.all(servers.map(dumpServer(prefix)))).flat())),
    dispose: () =>
      withServers(url, async (servers) => {
        for (const server of servers) for (const key of await keysOf(server, prefix)) await run(server, ['DEL', key])
      }),
  }
}

/** Everything under the prefix, names too. */
function dumpServer(prefix: string) {
  return async (server: RedisConnection): Promise<readonly Buffer[]> => {
    const parts: Buffer[] = []
    for (const key of await keysOf(server, prefix)) {
      const type = String(await run(server, ['TYPE', key]))
      const read = READ[type]
      if (read === undefined) throw new Error(`dump() does not know how to read a ${type}`)
      parts.push(Buffer.from(key), ...flatten(await run(server, read(key))))
    }
    return parts
  }
}

async function keysOf(server: RedisConnection, prefix: string): Promise<readonly string[]> {
  const keys = new Set<string>()
  let cursor = '0'
  do {
    const page = (await run(server, ['SCAN', cursor, 'MATCH', `${prefix}*`, 'COUNT', '1000'])) as [Buffer, Buffer[]]
    cursor = String(page[0])
    for (const key of page[1]) keys.add(String(key))
  } while (cursor !== '0')
  return [...keys]
}

async function withServers<T>(url: string, work: (servers: readonly RedisConnection[]) => Promise<T>): Promise<T> {
  const link: RedisLink = createLink(await loadRedisDriver(), parseRedisUrl(url), { timeoutMs: TIMEOUT_MS })
  await link.open(new TimeLimit(TIMEOUT_MS))
  try {
    return await work(link.masters().map(({ connection }) => connection))
  } finally {
    link.close()
  }
}

function run(server: RedisConnection, args: readonly string[]): Promise<unknown> {
  return server.send({ args, buffers: true }, new TimeLimit(TIMEOUT_MS))
}

function flatten(value: unknown): readonly Buffer[] {
  if (Array.isArray(value)) return value.flatMap(flatten)
  return [Buffer.isBuffer(value) ? value : Buffer.from(String(value))]
}
