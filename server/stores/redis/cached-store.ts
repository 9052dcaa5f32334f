// The Redis store with rows kept in the process. No session that has ended is found after the ending was answered, on any node:
// a node uses what it keeps for the length of a lease, and an ending waits for that length before it is answered.

import { setTimeout as delay } from 'node:timers/promises'
import type { MaybePromise } from '../../lib/maybe-promise.ts'
import type { StoreEntry } from '../../sessions/copyable-store.ts'
import type { SessionRecord } from '../../sessions/record.ts'
import type { EndReason } from '../../sessions/reasons.ts'
import type { FindResult, SessionTouch, SessionUpdate } from '../../sessions/store.ts'
import { ConfigError } from '../../errors.ts'
import type { RedisConfig } from './config.ts'
import { createLink } from './create-link.ts'
import type { RedisDriver } from './driver.ts'
import { RedisKeys } from './keys.ts'
import { LEASE_MS } from './lease.ts'
import type { RedisLink } from './link.ts'
import { RowCache } from './row-cache.ts'
import { findResult, RedisStore, type RedisStoreParts } from './store.ts'

export interface RedisCacheOptions {
  readonly timeoutMs: number
  readonly cacheBytes: number
  /** The same for all processes. */
  readonly leaseMs?: number
}

interface CachedRedisStoreParts extends RedisStoreParts {
  readonly cache: RowCache
  readonly leaseMs: number
}

/** Timers may come a little early, and clocks do not run equally fast. */
const MARGIN_MS = 5

/** @throws ConfigError where an ending has no time to wait */
export function createCachedRedisStore(
  driver: RedisDriver,
  config: RedisConfig,
  { timeoutMs, cacheBytes, leaseMs = LEASE_MS }: RedisCacheOptions,
): RedisStore {
  if (timeoutMs < 2 * leaseMs) {
    throw new ConfigError([
      `store: with less than ${2 * leaseMs} ms for a call, a Redis store keeps nothing in memory: switch the cache off, or give it more time`,
    ])
  }
  const cache = new RowCache(new RedisKeys(config.prefix), cacheBytes)
  const tracking = { onInvalidate: (name: string | null) => cache.invalidate(name), leaseMs }
  const link = createLink(driver, config, { timeoutMs, tracking })
  return new CachedRedisStore(link, { driver, prefix: config.prefix, timeoutMs, cache, leaseMs })
}

class CachedRedisStore extends RedisStore {
  readonly #cache: RowCache
  readonly #endingMs: number

  constructor(link: RedisLink, { cache, leaseMs, ...parts }: CachedRedisStoreParts) {
    super(link, parts)
    this.#cache = cache
    this.#endingMs = leaseMs + MARGIN_MS
  }

  override close(): void {
    super.close()
    this.#cache.dropAll()
  }

  /** At once, without a promise, where the row is kept. */
  override find(key: string, now: number): MaybePromise<FindResult> {
    const kept = this.#cache.find(key)
    return kept === undefined ? this.#read(key, now) : findResult(kept, now)
  }

  override update(key: string, update: SessionUpdate, now: number): Promise<number | 'gone' | 'conflict'> {
    return this.#write([key], () => super.update(key, update, now))
  }

  override touch(touches: readonly SessionTouch[], now: number): Promise<void> {
    const keys = touches.map(({ key }) => key)
    return this.#write(keys, () => super.touch(touches, now))
  }

  override async replace(
    oldKey: string,
    record: SessionRecord,
    options: { readonly ifVersion?: number },
    now: number,
  ): Promise<'replaced' | 'gone' | 'conflict'> {
    const answer = await this.#write([oldKey], () => super.replace(oldKey, record, options, now))
    if (answer === 'replaced') await delay(this.#endingMs)
    return answer
  }

  /** Waits also where nothing was live: another node may have ended it just now. */
  override async end(key: string, reason: EndReason, now: number): Promise<number> {
    const ended = await this.#write([key], () => super.end(key, reason, now))
    await delay(this.#endingMs)
    return ended
  }

  override async endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    options: { readonly exceptKey?: string } = {},
  ): Promise<number> {
    const ended = await super.endByUser(userId, reason, now, options)
    await delay(this.#endingMs)
    return ended
  }

  override async importEntries(entries: readonly StoreEntry[], now: number): Promise<number> {
    try {
      return await super.importEntries(entries, now)
    } finally {
      this.#cache.dropAll()
    }
  }

  async #read(key: string, now: number): Promise<FindResult> {
    const reading = this.#cache.startReading(key)
    if (reading === undefined) return super.find(key, now)
    try {
      const row = await this.readRow(key, reading)
      return findResult(row && this.#cache.keep(reading, row), now)
    } finally {
      this.#cache.endReading(reading)
    }
  }

  /**
   * Drops the rows before the write is sent, for it may be done without an answer, and again when it is answered, for they may
   * have been read in between.
   */
  async #write<T>(keys: readonly string[], write: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#cache.drop(key)
    try {
      return await write()
    } finally {
      for (const key of keys) this.#cache.drop(key)
    }
  }
}
