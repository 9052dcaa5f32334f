// Sessions in one SQLite file: for one machine, any number of processes on it.

import { resolve } from 'node:path'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import { sessionEntries, type CopyableStore, type EntryPage, type StoreEntry } from '../sessions/copyable-store.ts'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../sessions/store.ts'
import { exportSections } from './export-sections.ts'
import { EPOCH_KEPT_MS, timedOut } from './lifetime.ts'
import { mergeColumns } from './merge-columns.ts'
import { importIntoSqlite, sqliteSections } from './sqlite-copy.ts'
import { SqliteConnection } from './sqlite-connection.ts'
import { dataVersionOf, SqliteRowCache } from './sqlite-row-cache.ts'
import { toColumns, toEnded, toRecord, toRow, toUpdate, type ColumnsRow, type SessionRow } from './sqlite-rows.ts'
import type { Statements } from './sqlite-statements.ts'

export interface SqliteStoreOptions {
  /** The database file. It and its folder are made where they are missing. */
  readonly path: string
  /** How long a call waits for another process's lock, in milliseconds. Default 2000. */
  readonly timeoutMs?: number
  /** How much of the rows read last may be kept in memory, in bytes. 0 keeps nothing. Default 256 MiB. */
  readonly cacheBytes?: number
}

const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024

/**
 * A store in a SQLite file. A call answers at once, or, while another process holds the lock, by a promise; it never blocks the event loop.
 * create, replace and endings are on the disk when they answer; the rest survives the death of the process, and all but the
 * last moments a power cut.
 * @example
 * const auth = await createAuth({ store: createSqliteStore({ path: 'data/sessions.db' }), … })
 */
export function createSqliteStore(options: SqliteStoreOptions): CopyableStore {
  const connection = new SqliteConnection(resolve(options.path), options.timeoutMs ?? 2000)
  return new SqliteStore(connection, new SqliteRowCache(options.cacheBytes ?? DEFAULT_CACHE_BYTES))
}

class SqliteStore implements CopyableStore {
  readonly name = 'sqlite'
  readonly #connection: SqliteConnection
  readonly #cache: SqliteRowCache

  constructor(connection: SqliteConnection, cache: SqliteRowCache) {
    this.#connection = connection
    this.#cache = cache
  }

  open(): MaybePromise<void> {
    return this.#connection.open()
  }

  close(): void {
    this.#cache.clear()
    this.#connection.close()
  }

  ping(): MaybePromise<void> {
    return this.#connection.read((sql) => void sql.epoch.get())
  }

  find(key: string, now: number): MaybePromise<FindResult> {
    return this.#connection.read((sql) => {
      const cached = this.#cache.find(sql, key)
      if (cached !== undefined) return found(cached, now)
      const dataVersion = dataVersionOf(sql)
      const row = rowOf(sql, key)
      if (row === undefined) return undefined
      const ended = toEnded(row)
      if (ended !== null) return { ended }
      const record = toRecord(row)
      this.#cache.add(record, dataVersion)
      return found(record, now)
    })
  }

  create(record: SessionRecord): MaybePromise<void> {
    return this.#connection.write('FULL', (sql) => void sql.insert.run(...toRow(record)))
  }

  update(key: string, update: SessionUpdate, now: number): MaybePromise<number | 'gone' | 'conflict'> {
    let written: { readonly record: SessionRecord; readonly dataVersion: number } | undefined
    const result = this.#connection.write('NORMAL', (sql): number | 'gone' | 'conflict' => {
      const old = this.#cache.find(sql, key) ?? liveOf(sql, key, now)
      this.#cache.delete(key)
      if (old === undefined || timedOut(old, now) !== undefined) return 'gone'
      if (update.ifVersion !== undefined && update.ifVersion !== old.version) return 'conflict'
      const fields = mergeFields(old.fields, update)
      const record = { ...mergeColumns(old, update.columns), fields, version: old.version + 1 }
      sql.update.run(...toUpdate(record))
      // Nobody else writes before the commit, so this is the version at which the row is the one written here.
      written = { record, dataVersion: dataVersionOf(sql) }
      return record.version
    })
    return andThen(result, (answer) => {
      if (written !== undefined) this.#cache.add(written.record, written.dataVersion)
      return answer
    })
  }

  touch(touches: readonly SessionTouch[], now: number): MaybePromise<void> {
    return this.#connection.write('NORMAL', (sql) => {
      for (const touch of touches) this.#cache.delete(touch.key)
      for (const touch of touches) sql.touch.run(touch.lastSeenAt, touch.idleExpiresAt, touch.key, now, now)
    })
  }

  replace(
    oldKey: string,
    record: SessionRecord,
    options: { readonly ifVersion?: number },
    now: number,
  ): MaybePromise<'replaced' | 'gone' | 'conflict'> {
    return this.#connection.write('FULL', (sql) => {
      this.#cache.delete(oldKey)
      const old = liveOf(sql, oldKey, now)
      if (old === undefined) return 'gone'
      if (options.ifVersion !== undefined && options.ifVersion !== old.version) return 'conflict'
      sql.insert.run(...toRow(record))
      sql.end.run('rotated', now, oldKey, now, now)
      return 'replaced'
    })
  }

  end(key: string, reason: EndReason, now: number): MaybePromise<number> {
    return this.#connection.write('FULL', (sql) => {
      this.#cache.delete(key)
      return Number(sql.end.run(reason, now, key, now, now).changes)
    })
  }

  endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    options: { readonly exceptKey?: string } = {},
  ): MaybePromise<number> {
    return this.#connection.write('FULL', (sql) => {
      sql.raiseEpoch.run()
      sql.noteEpoch.run(userId, now)
      const keys = sql.endByUser.all(reason, now, userId, options.exceptKey ?? null, now, now)
      for (const [key] of keys as unknown as readonly [string][]) this.#cache.delete(key) // rows come as arrays
      return keys.length
    })
  }

  epoch(userId?: string): MaybePromise<number> {
    return this.#connection.read((sql) => {
      const row = userId === undefined ? sql.epoch.get() : sql.userEpoch.get(userId)
      return numbers(row)[0] ?? 0
    })
  }

  listByUser(userId: string, now: number): MaybePromise<readonly SessionColumns[]> {
    return this.#connection.read((sql) => columnRows(sql.listByUser.all(userId, now, now)).map(toColumns))
  }

  scan(cursor: string | null, limit: number): MaybePromise<ScanPage> {
    return this.#connection.read((sql) => {
      const rows = columnRows(sql.scan.all(cursor ?? '', limit))
      const sessions = rows.map((row) => ({ ...toColumns(row), ended: toEnded(row) }))
      return { sessions, cursor: rows.length < limit ? null : (sessions.at(-1)?.key ?? null) }
    })
  }

  deleteExpired(now: number, limit: number): MaybePromise<number> {
    return this.#connection.write('NORMAL', (sql) => {
      let left = limit
      left -= Number(sql.deleteSessions.run(now, left).changes)
      if (left < limit) this.#cache.clear()
      left -= Number(sql.deleteClaims.run(now, left).changes)
      left -= Number(sql.deleteCounters.run(now, left).changes)
      left -= Number(sql.deleteEpochs.run(now - EPOCH_KEPT_MS, left).changes)
      return limit - left
    })
  }

  claim(name: string, until: number, now: number): MaybePromise<boolean> {
    return this.#connection.write('NORMAL', (sql) => sql.claim.run(name, until, now).changes === 1)
  }

  release(name: string): MaybePromise<void> {
    return this.#connection.write('NORMAL', (sql) => void sql.release.run(name))
  }

  hit(
    name: string,
    windowMs: number,
    now: number,
    weight: 0 | 1 = 1,
  ): MaybePromise<{ readonly count: number; readonly resetAt: number }> {
    if (weight === 0) return this.#connection.read((sql) => counterOf(sql, name, windowMs, now))
    return this.#connection.write('NORMAL', (sql) => {
      const before = counterOf(sql, name, windowMs, now)
      const counter = { ...before, count: before.count + 1 }
      sql.setCounter.run(name, counter.count, counter.resetAt)
      return counter
    })
  }

  reset(name: string): MaybePromise<void> {
    return this.#connection.write('NORMAL', (sql) => void sql.reset.run(name))
  }

  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage> {
    return exportSections(sqliteSections(this.#connection), cursor, limit)
  }

  importEntries(entries: readonly StoreEntry[]): MaybePromise<number> {
    return this.#connection.write('FULL', (sql) => {
      for (const { record } of sessionEntries(entries)) this.#cache.delete(record.key)
      return importIntoSqlite(sql, entries)
    })
  }
}

function found(record: SessionRecord, now: number): FindResult {
  const ended = timedOut(record, now)
  return ended ? { ended } : { live: record }
}

function counterOf(sql: Statements, name: string, windowMs: number, now: number): { count: number; resetAt: number } {
  const [count = 0, resetAt = 0] = numbers(sql.findCounter.get(name))
  return resetAt > now ? { count, resetAt } : { count: 0, resetAt: now + windowMs }
}

function rowOf(sql: Statements, key: string): SessionRow | undefined {
  return sql.find.get(key) as unknown as SessionRow | undefined // the statement returns arrays in this order
}

function liveOf(sql: Statements, key: string, now: number): SessionRecord | undefined {
  const row = rowOf(sql, key)
  return row === undefined || endedOf(row, now) ? undefined : toRecord(row)
}

function endedOf(row: SessionRow, now: number) {
  const [, , userId, , , , , , idleExpiresAt, expiresAt] = row
  return toEnded(row) ?? timedOut({ userId, idleExpiresAt, expiresAt }, now)
}

function mergeFields(fields: SessionRecord['fields'], update: SessionUpdate): SessionRecord['fields'] {
  const merged = new Map(fields)
  for (const name of update.unset ?? []) merged.delete(name)
  for (const [name, value] of update.set ?? []) merged.set(name, value)
  return merged
}

function columnRows(rows: readonly unknown[]): readonly ColumnsRow[] {
  return rows as readonly ColumnsRow[] // the statements return arrays in this order
}

function numbers(row: unknown): readonly number[] {
  return (row ?? []) as readonly number[] // integer columns of STRICT tables, as an array
}
