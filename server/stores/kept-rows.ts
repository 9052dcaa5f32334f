// Rows as they were last read. Whether one may still be used is the caller's to know.

import { BoundedCache } from '../lib/bounded-cache.ts'
import type { SessionRecord } from '../sessions/record.ts'
import { packFields, unpackFields } from './pack-fields.ts'

export interface KeptRow {
  readonly record: SessionRecord
  /** When it was asked for, by `performance.now()`. It may be older than its answer, never newer. */
  readonly readAt: number
}

/** A row on its way. It may have been overtaken by the news that it was changed. */
export interface RowReading {
  readonly key: string
  readonly readAt: number
}

/** About what an entry takes besides the sealed bytes. */
const ENTRY_BYTES = 1800

export class KeptRows {
  readonly #rows: BoundedCache<KeptRow>
  /** By key: the one reading whose row may be kept. */
  readonly #readings = new Map<string, RowReading>()

  constructor(maxBytes: number) {
    this.#rows = new BoundedCache(maxBytes)
  }

  get(key: string): KeptRow | undefined {
    return this.#rows.get(key)
  }

  /** Before a row is asked for. `undefined`: another reading of it is on its way, and only one can be kept. */
  startReading(key: string, now: number): RowReading | undefined {
    if (this.#readings.has(key)) return undefined
    const reading = { key, readAt: now }
    this.#readings.set(key, reading)
    return reading
  }

  /** Keeps a live row, unless it was changed on its way. Answers the record to hand on. */
  keep(reading: RowReading, read: SessionRecord): SessionRecord {
    const { key, readAt } = reading
    if (this.#readings.get(key) !== reading) return read
    const record = { ...read, fields: ownFields(read.fields, this.#rows.get(key)?.record.fields) }
    let bytes = ENTRY_BYTES
    for (const value of record.fields.values()) bytes += value.length
    this.#rows.set(key, { record, readAt }, bytes)
    return record
  }

  endReading(reading: RowReading): void {
    if (this.#readings.get(reading.key) === reading) this.#readings.delete(reading.key)
  }

  /** The row is, or may have been, changed: one that is on its way does not count either. */
  drop(key: string): void {
    this.#rows.delete(key)
    this.#readings.delete(key)
  }

  dropAll(): void {
    this.#rows.clear()
    this.#readings.clear()
  }
}

/**
 * In bytes of their own: the driver's are views of all that came over the network with them. Those that have not changed are
 * the same objects as before: what was opened of them need not be opened again.
 */
function ownFields(fields: SessionRecord['fields'], known?: SessionRecord['fields']): SessionRecord['fields'] {
  if (known !== undefined && isSame(fields, known)) return known
  return unpackFields(packFields(fields))
}

function isSame(fields: SessionRecord['fields'], known: SessionRecord['fields']): boolean {
  if (fields.size !== known.size) return false
  for (const [name, value] of fields) {
    const before = known.get(name)
    if (before === undefined || Buffer.compare(before, value) !== 0) return false
  }
  return true
}
