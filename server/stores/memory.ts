// The store in this process's memory: for development and tests. Gone with the process, and one process only.

import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { CopyableStore, EntryPage, StoreEntry } from '../sessions/copyable-store.ts'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../sessions/store.ts'
import { exportSections } from './export-sections.ts'
import { EPOCH_KEPT_MS, timedOut } from './lifetime.ts'
import { mergeColumns } from './merge-columns.ts'
import { importIntoMemory, memorySections } from './memory-copy.ts'
import { createMemoryData, deleteRow, endRow, insertRow, mergeFields, type MemoryData } from './memory-data.ts'

/**
 * A store that keeps sessions in memory. Every call answers at once.
 * Stores made with the same `data` show the same sessions, as two connections to one database do.
 */
export function createMemoryStore(data: MemoryData = createMemoryData()): CopyableStore {
  return new MemoryStore(data)
}

class MemoryStore implements CopyableStore {
  readonly name = 'memory'
  readonly #data: MemoryData

  constructor(data: MemoryData) {
    this.#data = data
  }

  open(): void {}

  close(): void {}

  ping(): void {}

  find(key: string, now: number): FindResult {
    const row = this.#data.rows.get(key)
    if (row === undefined) return undefined
    const ended = row.ended ?? timedOut(row.record, now)
    return ended ? { ended } : { live: row.record }
  }

  create(record: SessionRecord): void {
    if (this.#data.rows.has(record.key)) throw new Error('A session with this key exists already.')
    insertRow(this.#data, record)
  }

  update(key: string, update: SessionUpdate, now: number): number | 'gone' | 'conflict' {
    const record = this.find(key, now)?.live
    if (record === undefined) return 'gone'
    if (update.ifVersion !== undefined && update.ifVersion !== record.version) return 'conflict'
    const version = record.version + 1
    const fields = mergeFields(record.fields, update.set, update.unset)
    this.#data.rows.set(key, { record: { ...mergeColumns(record, update.columns), fields, version }, ended: null })
    return version
  }

  touch(touches: readonly SessionTouch[], now: number): void {
    for (const { key, lastSeenAt, idleExpiresAt } of touches) {
      const record = this.find(key, now)?.live
      if (record === undefined) continue
      const touched = {
        ...record,
        lastSeenAt: Math.max(record.lastSeenAt, lastSeenAt),
        idleExpiresAt: Math.max(record.idleExpiresAt, idleExpiresAt),
      }
      this.#data.rows.set(key, { record: touched, ended: null })
    }
  }

  replace(oldKey: string, record: SessionRecord, options: { readonly ifVersion?: number }, now: number) {
    const old = this.find(oldKey, now)?.live
    if (old === undefined) return 'gone'
    if (options.ifVersion !== undefined && options.ifVersion !== old.version) return 'conflict'
    this.create(record)
    endRow(this.#data, old, { reason: 'rotated', endedAt: now, userId: old.userId })
    return 'replaced'
  }

  end(key: string, reason: EndReason, now: number): number {
    const record = this.find(key, now)?.live
    if (record === undefined) return 0
    endRow(this.#data, record, { reason, endedAt: now, userId: record.userId })
    return 1
  }

  endByUser(userId: string, reason: EndReason, now: number, options: { readonly exceptKey?: string } = {}): number {
    this.#data.epoch += 1
    this.#data.epochs.set(userId, { epoch: this.#data.epoch, notedAt: now })
    const keys = [...(this.#data.byUser.get(userId) ?? [])].filter((key) => key !== options.exceptKey)
    return keys.reduce((ended, key) => ended + this.end(key, reason, now), 0)
  }

  epoch(userId?: string): number {
    return userId === undefined ? this.#data.epoch : (this.#data.epochs.get(userId)?.epoch ?? 0)
  }

  listByUser(userId: string, now: number): readonly SessionColumns[] {
    const keys = [...(this.#data.byUser.get(userId) ?? [])]
    return keys
      .flatMap((key) => this.find(key, now)?.live ?? [])
      .toSorted((a, b) => b.createdAt - a.createdAt)
      .map(columnsOf)
  }

  scan(cursor: string | null, limit: number): ScanPage {
    const keys = [...this.#data.rows.keys()].filter((key) => cursor === null || key > cursor).toSorted()
    const page = keys.slice(0, limit).flatMap((key) => this.#data.rows.get(key) ?? [])
    const sessions = page.map(({ record, ended }) => ({ ...columnsOf(record), ended }))
    return { sessions, cursor: keys.length > limit ? (sessions.at(-1)?.key ?? null) : null }
  }

  deleteExpired(now: number, limit: number): number {
    const { rows, claims, counters, epochs } = this.#data
    const expired = take(rows.values(), limit, ({ record }) => record.expiresAt <= now)
    for (const { record } of expired) deleteRow(this.#data, record)
    let left = limit - expired.length
    left -= deleteSome(claims, left, (until) => until <= now)
    left -= deleteSome(counters, left, ({ resetAt }) => resetAt <= now)
    left -= deleteSome(epochs, left, ({ notedAt }) => notedAt + EPOCH_KEPT_MS <= now)
    return limit - left
  }

  claim(name: string, until: number, now: number): boolean {
    if ((this.#data.claims.get(name) ?? 0) > now) return false
    this.#data.claims.set(name, until)
    return true
  }

  release(name: string): void {
    this.#data.claims.delete(name)
  }

  hit(
    name: string,
    windowMs: number,
    now: number,
    weight: 0 | 1 = 1,
  ): { readonly count: number; readonly resetAt: number } {
    const known = this.#data.counters.get(name)
    const before = known === undefined || known.resetAt <= now ? { count: 0, resetAt: now + windowMs } : known
    if (weight === 0) return before
    const counter = { ...before, count: before.count + 1 }
    this.#data.counters.set(name, counter)
    return counter
  }

  reset(name: string): void {
    this.#data.counters.delete(name)
  }

  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage> {
    return exportSections(memorySections(this.#data), cursor, limit)
  }

  importEntries(entries: readonly StoreEntry[]): number {
    return importIntoMemory(this.#data, entries)
  }
}

function columnsOf(record: SessionRecord): SessionColumns {
  const { fields: _, ...columns } = record
  return columns
}

function take<T>(values: Iterable<T>, limit: number, isWanted: (value: T) => boolean): readonly T[] {
  return Iterator.from(values).filter(isWanted).take(limit).toArray()
}

function deleteSome<T>(map: Map<string, T>, limit: number, isSpent: (value: T) => boolean): number {
  const spent = take(map, limit, ([, value]) => isSpent(value))
  for (const [name] of spent) map.delete(name)
  return spent.length
}
