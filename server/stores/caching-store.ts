// A store with rows kept in the process. No session that has ended is found after the ending was answered, on any node that has
// this: a node uses what it keeps for the length of a lease, and an ending waits for that length before it is answered.

import { setTimeout as delay } from 'node:timers/promises'
import { ConfigError } from '../errors.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { CopyableStore, EntryPage, StoreEntry } from '../sessions/copyable-store.ts'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../sessions/store.ts'
import type { ChangeFeed } from './change-feed.ts'
import { KeptRows, type KeptRow } from './kept-rows.ts'
import { timedOut } from './lifetime.ts'

export interface CachingStoreOptions {
  readonly feed: ChangeFeed
  /** Deadline of a call. */
  readonly timeoutMs: number
  /** The same for all processes. */
  readonly leaseMs?: number
}

/** How long a row may be used after the moment of which it is known to be as it was. */
const LEASE_MS = 150
/** Timers may come a little early, and clocks do not run equally fast. */
const MARGIN_MS = 5
/** Then a row is read again in any case: a process may die between a change and the news of it, and people change rows by hand. */
const MAX_AGE_MS = 60_000
const MAX_BYTES = 256 * 1024 * 1024

/** @throws ConfigError where an ending has no time to wait */
export function cachingStore(store: CopyableStore, options: CachingStoreOptions): CopyableStore {
  const { feed, timeoutMs, leaseMs = LEASE_MS } = options
  if (timeoutMs < 2 * leaseMs) {
    throw new ConfigError([
      `store: with less than ${2 * leaseMs} ms for a call no session is kept in memory: switch the cache off, or give it more time`,
    ])
  }
  return new CachingStore(store, feed, leaseMs)
}

class CachingStore implements CopyableStore {
  readonly name: string
  readonly #store: CopyableStore
  readonly #feed: ChangeFeed
  readonly #leaseMs: number
  readonly #rows = new KeptRows(MAX_BYTES)
  /** What had expired by then may be gone. */
  #deletedUntil = -Infinity
  #isOpen = false

  constructor(store: CopyableStore, feed: ChangeFeed, leaseMs: number) {
    this.name = store.name
    this.#store = store
    this.#feed = feed
    this.#leaseMs = leaseMs
  }

  async open(): Promise<void> {
    if (this.#isOpen) return
    await this.#store.open()
    this.#isOpen = true
    await this.#feed.open((key) => (key === null ? this.#rows.dropAll() : this.#rows.drop(key)))
  }

  async close(): Promise<void> {
    this.#isOpen = false
    await this.#feed.close()
    this.#rows.dropAll()
    await this.#store.close()
  }

  ping(): MaybePromise<void> {
    return this.#store.ping()
  }

  async warnings(): Promise<readonly string[]> {
    return [...((await this.#store.warnings?.()) ?? []), ...this.#feed.warnings]
  }

  /** At once, without a promise, where the row is kept. */
  find(key: string, now: number): MaybePromise<FindResult> {
    const kept = this.#rows.get(key)
    // What has timed out here may have been touched elsewhere, or be deleted.
    const time = Math.max(now, this.#deletedUntil)
    return kept !== undefined && this.#isFresh(kept) && timedOut(kept.record, time) === undefined
      ? { live: kept.record }
      : this.#read(key, now)
  }

  create(record: SessionRecord): MaybePromise<void> {
    return this.#store.create(record)
  }

  async update(key: string, update: SessionUpdate, now: number): Promise<number | 'gone' | 'conflict'> {
    const answer = await this.#change([key], async () => this.#store.update(key, update, now))
    if (typeof answer === 'number') await this.#feed.announce([key])
    return answer
  }

  async touch(touches: readonly SessionTouch[], now: number): Promise<void> {
    const keys = touches.map(({ key }) => key)
    await this.#change(keys, async () => this.#store.touch(touches, now))
    await this.#feed.announce(keys)
  }

  async replace(
    oldKey: string,
    record: SessionRecord,
    options: { readonly ifVersion?: number },
    now: number,
  ): Promise<'replaced' | 'gone' | 'conflict'> {
    const answer = await this.#change([oldKey], async () => this.#store.replace(oldKey, record, options, now))
    if (answer === 'replaced') await this.#waitOutLease()
    return answer
  }

  /** Waits also where nothing was live: another process may have ended it just now. */
  async end(key: string, reason: EndReason, now: number): Promise<number> {
    const ended = await this.#change([key], async () => this.#store.end(key, reason, now))
    await this.#waitOutLease()
    return ended
  }

  async endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    options: { readonly exceptKey?: string } = {},
  ): Promise<number> {
    const ended = await this.#store.endByUser(userId, reason, now, options)
    await this.#waitOutLease()
    return ended
  }

  epoch(userId?: string): MaybePromise<number> {
    return this.#store.epoch(userId)
  }

  listByUser(userId: string, now: number): MaybePromise<readonly SessionColumns[]> {
    return this.#store.listByUser(userId, now)
  }

  scan(cursor: string | null, limit: number): MaybePromise<ScanPage> {
    return this.#store.scan(cursor, limit)
  }

  deleteExpired(now: number, limit: number): MaybePromise<number> {
    this.#deletedUntil = Math.max(this.#deletedUntil, now)
    return this.#store.deleteExpired(now, limit)
  }

  claim(name: string, until: number, now: number): MaybePromise<boolean> {
    return this.#store.claim(name, until, now)
  }

  release(name: string): MaybePromise<void> {
    return this.#store.release(name)
  }

  hit(name: string, windowMs: number, now: number, weight: 0 | 1 = 1) {
    return this.#store.hit(name, windowMs, now, weight)
  }

  reset(name: string): MaybePromise<void> {
    return this.#store.reset(name)
  }

  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage> {
    return this.#store.exportEntries(cursor, limit)
  }

  async importEntries(entries: readonly StoreEntry[], now: number): Promise<number> {
    try {
      return await this.#store.importEntries(entries, now)
    } finally {
      this.#rows.dropAll()
    }
  }

  #isFresh({ readAt }: KeptRow): boolean {
    const now = performance.now()
    const knownAt = Math.max(readAt, this.#feed.heardUntil(now))
    return now - knownAt < this.#leaseMs && now - readAt < MAX_AGE_MS
  }

  async #read(key: string, now: number): Promise<FindResult> {
    const reading = this.#feed.isOpen ? this.#rows.startReading(key, performance.now()) : undefined
    if (reading === undefined) return this.#store.find(key, now)
    try {
      const found = await this.#store.find(key, now)
      if (found?.live !== undefined) return { live: this.#rows.keep(reading, found.live) }
      this.#rows.drop(key)
      return found
    } finally {
      this.#rows.endReading(reading)
    }
  }

  /**
   * Drops the rows before the write is sent, for it may be done without an answer, and again when it is answered, for they may
   * have been read in between.
   */
  async #change<T>(keys: readonly string[], write: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#rows.drop(key)
    try {
      return await write()
    } finally {
      for (const key of keys) this.#rows.drop(key)
    }
  }

  #waitOutLease(): Promise<void> {
    return delay(this.#leaseMs + MARGIN_MS)
  }
}
