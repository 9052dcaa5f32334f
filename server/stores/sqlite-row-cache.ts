// Rows as they were last read, for as long as nobody has changed them. Every use asks SQLite whether another process has
// written (`PRAGMA data_version`), so a session that another process ended is refused by the very next request.

import { BoundedCache } from '../lib/bounded-cache.ts'
import type { SessionRecord } from '../sessions/record.ts'
import type { Statements } from './sqlite-statements.ts'

interface CachedRow {
  readonly record: SessionRecord
  /** The file's data version at which the row was known to be this. */
  dataVersion: number
}

/** About what an entry takes besides the sealed bytes. */
const ENTRY_BYTES = 1800

export class SqliteRowCache {
  readonly #rows: BoundedCache<CachedRow>

  constructor(maxBytes: number) {
    this.#rows = new BoundedCache(maxBytes)
  }

  /** The row, if it is still as it was read. */
  find(sql: Statements, key: string): SessionRecord | undefined {
    const cached = this.#rows.get(key)
    if (cached === undefined) return undefined
    const dataVersion = dataVersionOf(sql)
    if (cached.dataVersion === dataVersion || isUnchanged(sql, cached.record)) {
      cached.dataVersion = dataVersion
      return cached.record
    }
    this.#rows.delete(key)
    return undefined
  }

  /** `dataVersion` was read before the row was: a write in between must not go unseen. */
  add(record: SessionRecord, dataVersion: number): void {
    let bytes = ENTRY_BYTES
    for (const value of record.fields.values()) bytes += value.length
    this.#rows.set(record.key, { record, dataVersion }, bytes)
  }

  /** This process changes the row, which moves no data version. */
  delete(key: string): void {
    this.#rows.delete(key)
  }

  clear(): void {
    this.#rows.clear()
  }
}

/** Changes with each commit of another connection. */
export function dataVersionOf(sql: Statements): number {
  const [version] = sql.dataVersion.get() as unknown as readonly [number] // one row of one integer
  return version
}

function isUnchanged(sql: Statements, { key, version, lastSeenAt, idleExpiresAt }: SessionRecord): boolean {
  const row = sql.findVersion.get(key) as unknown as readonly number[] | undefined // rows come as arrays
  return row !== undefined && row[0] === version && row[1] === lastSeenAt && row[2] === idleExpiresAt
}
