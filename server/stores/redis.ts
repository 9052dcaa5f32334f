// Sessions in Redis: one server, a master that Sentinel names, or a Cluster. For any number of processes on any number of machines.

import type { CopyableStore } from '../sessions/copyable-store.ts'
import { createCachedRedisStore } from './redis/cached-store.ts'
import { parseRedisUrl } from './redis/config.ts'
import { createLink } from './redis/create-link.ts'
import { loadRedisDriver } from './redis/driver.ts'
import { RedisStore } from './redis/store.ts'

export interface RedisStoreOptions {
  /**
   * `redis://user:password@host:6379/0`, `redis+sentinel://host1:26379,host2:26379/mymaster` or `redis+cluster://host1,host2`;
   * `rediss…` for TLS. Parameters: `prefix` of all keys (`pbs:`), `wait`, `ca`, `cert` and `key` (PEM files),
   * `sentinelUsername`, `sentinelPassword`.
   */
  readonly url: string
  /** Deadline of a call in milliseconds. Default 2000. */
  readonly timeoutMs?: number
  /** Replicas that must have create, replace and endings before they are answered. Default 1 with Sentinel and Cluster, else 0. */
  readonly wait?: number
  /**
   * How much of the rows read last may be kept in memory, in bytes. 0 keeps nothing. Default 256 MiB. Endings then wait for
   * 0.15 s before they are answered, so that no node finds what has ended: all processes must have it, or none.
   */
  readonly cacheBytes?: number
}

const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024

/**
 * A store in Redis 6.2 or newer. What it has acknowledged is as safe as the server keeps it: `docs/stores.md` says what that takes.
 * @throws ConfigError for a URL that cannot be used, or where the package `redis` is not installed
 * @example
 * const auth = await createAuth({ store: await createRedisStore({ url: 'redis://localhost:6379' }), … })
 */
export async function createRedisStore(options: RedisStoreOptions): Promise<CopyableStore> {
  const { url, timeoutMs = 2000, wait, cacheBytes = DEFAULT_CACHE_BYTES } = options
  const parsed = parseRedisUrl(url)
  const config = wait === undefined ? parsed : { ...parsed, wait }
  const driver = await loadRedisDriver()
  if (cacheBytes > 0) return createCachedRedisStore(driver, config, { timeoutMs, cacheBytes })
  return new RedisStore(createLink(driver, config, { timeoutMs }), { driver, prefix: config.prefix, timeoutMs })
}
