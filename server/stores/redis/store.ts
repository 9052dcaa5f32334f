// The store contract on Redis: each row is one hash, and each atomic step on it one script.

import type { MaybePromise } from '../../lib/maybe-promise.ts'
import { exportSections } from '../export-sections.ts'
import { timedOut } from '../lifetime.ts'
import type { CopyableStore, EntryPage, StoreEntry } from '../../sessions/copyable-store.ts'
import type { SessionColumns, SessionRecord } from '../../sessions/record.ts'
import type { EndReason } from '../../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../../sessions/store.ts'
import { newWriteId, RedisCommands } from './commands.ts'
import { RedisCopy } from './copy.ts'
import type { RedisDriver } from './driver.ts'
import { ExpiryIndex } from './expiry-index.ts'
import { RedisKeys } from './keys.ts'
import type { RedisLink } from './link.ts'
import type { RowReading } from './row-cache.ts'
import { readRow, writeRow, writeUpdate, type RedisRow } from './rows.ts'
import { CLAIM, CREATE, HIT, REPLACE, TOUCH, UPDATE } from './scripts.ts'
import { findServerWarnings } from './server-warnings.ts'
import { TimeLimit } from './time-limit.ts'
import { claimToLive, counterToLive, rowToLive } from './time-to-live.ts'
import { UserSessions } from './user-sessions.ts'

export interface RedisStoreParts {
  readonly driver: Pick<RedisDriver, 'isReply'>
  readonly prefix: string
  readonly timeoutMs: number
}

export class RedisStore implements CopyableStore {
  readonly name = 'redis'
  readonly #link: RedisLink
  readonly #parts: RedisStoreParts
  readonly #keys: RedisKeys
  readonly #commands: RedisCommands
  readonly #users: UserSessions
  readonly #expiry: ExpiryIndex
  readonly #copy: RedisCopy

  constructor(link: RedisLink, parts: RedisStoreParts) {
    this.#link = link
    this.#parts = parts
    this.#keys = new RedisKeys(parts.prefix)
    this.#commands = new RedisCommands(link, parts.driver)
    this.#users = new UserSessions(this.#commands, this.#keys)
    this.#expiry = new ExpiryIndex(this.#commands, this.#keys)
    const copied = { link, commands: this.#commands, keys: this.#keys, users: this.#users, expiry: this.#expiry }
    this.#copy = new RedisCopy(copied, () => this.#limit())
  }

  open(): Promise<void> {
    return this.#link.open(this.#limit())
  }

  close(): void {
    this.#link.close()
  }

  async ping(): Promise<void> {
    await this.#commands.run(['PING', this.#keys.epoch], { limit: this.#limit(), isRepeatable: true })
  }

  warnings(): Promise<readonly string[]> {
    return findServerWarnings(this.#link, this.#limit())
  }

  find(key: string, now: number): MaybePromise<FindResult> {
    return this.readRow(key).then((row) => findResult(row, now))
  }

  async create(record: SessionRecord): Promise<void> {
    const limit = this.#limit()
    await this.#index(record, limit)
    const input = {
      keys: [this.#keys.row(record.key)],
      args: [newWriteId(), String(rowToLive(record)), ...writeRow(record)],
    } as const
    const created = await this.#commands.script(CREATE, input, { limit, isDurable: true, isRepeatable: true })
    if (created !== 1) throw new Error('A session with this key exists already.')
  }

  async update(key: string, update: SessionUpdate, now: number): Promise<number | 'gone' | 'conflict'> {
    const { remove, put } = writeUpdate(update)
    const args = [String(now), String(update.ifVersion ?? ''), String(remove.length), ...remove, ...put]
    const input = { keys: [this.#keys.row(key)], args } as const
    // Not repeatable: the second time it could undo what another request has written in between.
    const version = Number(await this.#commands.script(UPDATE, input, { limit: this.#limit() }))
    return version === 0 ? 'gone' : version === -1 ? 'conflict' : version
  }

  async touch(touches: readonly SessionTouch[], now: number): Promise<void> {
    const options = { limit: this.#limit(), isRepeatable: true }
    await Promise.all(
      touches.map(({ key, lastSeenAt, idleExpiresAt }) => {
        const args = [String(now), String(lastSeenAt), String(idleExpiresAt)]
        return this.#commands.script(TOUCH, { keys: [this.#keys.row(key)], args }, options)
      }),
    )
  }

  async replace(
    oldKey: string,
    record: SessionRecord,
    { ifVersion }: { readonly ifVersion?: number },
    now: number,
  ): Promise<'replaced' | 'gone' | 'conflict'> {
    const limit = this.#limit()
    await this.#index(record, limit)
    const args = [String(now), String(ifVersion ?? ''), newWriteId(), String(rowToLive(record)), ...writeRow(record)]
    const input = { keys: [this.#keys.row(oldKey), this.#keys.row(record.key)], args } as const
    const answer = await this.#commands.script(REPLACE, input, { limit, isDurable: true, isRepeatable: true })
    // The entries of a row that was not written stay until its deadline: to remove them could hit a second try with this key.
    if (answer === 'replaced' || answer === 'gone' || answer === 'conflict') return answer
    throw new Error('A session with this key exists already.')
  }

  end(key: string, reason: EndReason, now: number): Promise<number> {
    return this.#users.end(key, { reason, now, limit: this.#limit() })
  }

  endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    { exceptKey }: { readonly exceptKey?: string } = {},
  ): Promise<number> {
    return this.#users.endAll(userId, exceptKey, { reason, now, limit: this.#limit() })
  }

  epoch(userId?: string): Promise<number> {
    return this.#users.epoch(userId, this.#limit())
  }

  listByUser(userId: string, now: number): Promise<readonly SessionColumns[]> {
    return this.#users.list(userId, now, this.#limit())
  }

  scan(cursor: string | null, limit: number): Promise<ScanPage> {
    return this.#expiry.scan(cursor, limit, this.#limit())
  }

  /** Spent claims and counters, and old epochs, are deleted by Redis itself. */
  deleteExpired(now: number, limit: number): Promise<number> {
    return this.#expiry.sweep(now, limit, this.#limit())
  }

  async claim(name: string, until: number, now: number): Promise<boolean> {
    const args = [String(now), String(until), newWriteId(), String(claimToLive(until, now))]
    const options = { limit: this.#limit(), isRepeatable: true }
    return (await this.#commands.script(CLAIM, { keys: [this.#keys.claim(name)], args }, options)) === 1
  }

  async release(name: string): Promise<void> {
    await this.#commands.run(['DEL', this.#keys.claim(name)], { limit: this.#limit() })
  }

  async hit(
    name: string,
    windowMs: number,
    now: number,
    weight: 0 | 1 = 1,
  ): Promise<{ readonly count: number; readonly resetAt: number }> {
    const args = [String(now), String(now + windowMs), String(weight), String(counterToLive(windowMs))]
    const input = { keys: [this.#keys.counter(name)], args } as const
    const [count, resetAt] = (await this.#commands.script(HIT, input, { limit: this.#limit() })) as [string, string]
    return { count: Number(count), resetAt: Number(resetAt) }
  }

  async reset(name: string): Promise<void> {
    await this.#commands.run(['DEL', this.#keys.counter(name)], { limit: this.#limit() })
  }

  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage> {
    return exportSections(this.#copy.sections(), cursor, limit)
  }

  importEntries(entries: readonly StoreEntry[], now: number): Promise<number> {
    return this.#copy.importEntries(entries, now)
  }

  /** `reading`: where the row may be kept. */
  protected async readRow(key: string, reading?: RowReading): Promise<RedisRow | undefined> {
    const options = { limit: this.#limit(), isRepeatable: true, buffers: true, ...(reading && { reading }) }
    const flat = await this.#commands.run(['HGETALL', this.#keys.row(key)], options)
    return readRow(key, flat as readonly Buffer[]) // what HGETALL answers with `buffers`
  }

  async #index(record: SessionRecord, limit: TimeLimit): Promise<void> {
    await Promise.all([this.#users.add(record, rowToLive(record), limit), this.#expiry.add(record, limit)])
  }

  #limit(): TimeLimit {
    return new TimeLimit(this.#parts.timeoutMs)
  }
}

/** What a row is at a given time. */
export function findResult(row: RedisRow | undefined, now: number): FindResult {
  if (row === undefined) return undefined
  const ended = row.ended ?? timedOut(row.record, now)
  return ended ? { ended } : { live: row.record }
}
