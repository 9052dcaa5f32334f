// Rows as they were last read, until Redis says that they were changed, and never longer than the lease of their connection.

import { BoundedCache } from '../../lib/bounded-cache.ts'
import { packFields, unpackFields } from '../pack-fields.ts'
import type { RedisKeys } from './keys.ts'
import type { Lease } from './lease.ts'
import type { RedisRow } from './rows.ts'

/** A row on its way from Redis. Its answer may have been overtaken by the news that the row was changed. */
export interface RowReading {
  readonly key: string
  /** Of the connection that answered; none where Redis does not say on it what is changed. */
  lease?: Lease | undefined
}

interface CachedRow {
  readonly row: RedisRow
  readonly lease: Lease
}

/** About what an entry takes besides the sealed bytes. */
const ENTRY_BYTES = 1800

export class RowCache {
  readonly #keys: RedisKeys
  readonly #rows: BoundedCache<CachedRow>
  /** By session key: the one reading that may be kept. */
  readonly #readings = new Map<string, RowReading>()

  constructor(keys: RedisKeys, maxBytes: number) {
    this.#keys = keys
    this.#rows = new BoundedCache(maxBytes)
  }

  /** The row, if nobody has changed it. */
  find(key: string): RedisRow | undefined {
    const cached = this.#rows.get(key)
    if (cached === undefined) return undefined
    if (this.#useLease(cached.lease, key)) return cached.row
    if (cached.lease.isOver) this.#rows.delete(key)
    return undefined
  }

  /** Before a row is asked for. `undefined`: another reading of it is on its way, and only one can be kept. */
  startReading(key: string): RowReading | undefined {
    if (this.#readings.has(key)) return undefined
    const reading = { key }
    this.#readings.set(key, reading)
    return reading
  }

  /** Keeps a live row as it was read, unless it was changed meanwhile. Answers the row to hand on. */
  keep(reading: RowReading, row: RedisRow): RedisRow {
    const { key, lease } = reading
    if (row.ended || lease === undefined || lease.isOver || this.#readings.get(key) !== reading) return row
    // In bytes of its own: the driver's are views of all that came over the network with it.
    const fields = unpackFields(packFields(row.record.fields))
    const kept = { record: { ...row.record, fields }, ended: null }
    let bytes = ENTRY_BYTES
    for (const value of fields.values()) bytes += value.length
    this.#rows.set(key, { row: kept, lease }, bytes)
    this.#useLease(lease, key)
    return kept
  }

  endReading(reading: RowReading): void {
    if (this.#readings.get(reading.key) === reading) this.#readings.delete(reading.key)
  }

  /** The row is, or may have been, changed: what is on its way does not count either. */
  drop(key: string): void {
    this.#rows.delete(key)
    this.#readings.delete(key)
  }

  dropAll(): void {
    this.#rows.clear()
    this.#readings.clear()
  }

  /** What Redis says: the name of a key, or `null` where all are gone. */
  invalidate(rowName: string | null): void {
    if (rowName === null) this.dropAll()
    else this.drop(this.#keys.keyOfRow(rowName))
  }

  #useLease(lease: Lease, key: string): boolean {
    const now = performance.now()
    if (lease.isDue(now)) lease.renew(this.#keys.row(key), now)
    return lease.holds(now)
  }
}
