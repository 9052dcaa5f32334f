// What memory stores share: rows, and an index by user. Copies on the way in, so nobody changes a row from outside.

import type { EndedSession, SessionRecord } from '../sessions/record.ts'

interface MemoryRow {
  readonly record: SessionRecord
  readonly ended: EndedSession | null
}

interface MemoryCounter {
  readonly count: number
  readonly resetAt: number
}

/** The rows of one or more memory stores. Stores made on the same data are like connections to one database. */
export interface MemoryData {
  readonly rows: Map<string, MemoryRow>
  /** Keys of live rows by user. */
  readonly byUser: Map<string, Set<string>>
  /** Epoch and time at which all sessions of a user were last ended. */
  readonly epochs: Map<string, { readonly epoch: number; readonly notedAt: number }>
  /** Name → until. */
  readonly claims: Map<string, number>
  readonly counters: Map<string, MemoryCounter>
  epoch: number
}

const NO_FIELDS: SessionRecord['fields'] = new Map()

export function createMemoryData(): MemoryData {
  return { rows: new Map(), byUser: new Map(), epochs: new Map(), claims: new Map(), counters: new Map(), epoch: 0 }
}

/** Puts a new live row in, with its index entry. */
export function insertRow(data: MemoryData, record: SessionRecord): void {
  data.rows.set(record.key, { record: { ...record, fields: copyFields(record.fields) }, ended: null })
  if (record.userId === null) return
  const keys = data.byUser.get(record.userId)
  if (keys) keys.add(record.key)
  else data.byUser.set(record.userId, new Set([record.key]))
}

/** Makes a row an ended one: what it held is erased. */
export function endRow(data: MemoryData, record: SessionRecord, ended: EndedSession): void {
  const kept = { ...record, device: '', ip: '', version: record.version + 1, fields: NO_FIELDS }
  data.rows.set(record.key, { record: kept, ended })
  unindex(data, record)
}

/** Takes a row out altogether. */
export function deleteRow(data: MemoryData, record: SessionRecord): void {
  data.rows.delete(record.key)
  unindex(data, record)
}

/** The fields after a merge; the row's own map stays as it is for whoever still reads it. */
export function mergeFields(
  fields: SessionRecord['fields'],
  set: SessionRecord['fields'] | undefined,
  unset: readonly string[] | undefined,
): SessionRecord['fields'] {
  const merged = new Map(fields)
  for (const name of unset ?? []) merged.delete(name)
  for (const [name, value] of set ?? NO_FIELDS) merged.set(name, value.slice())
  return merged
}

function copyFields(fields: SessionRecord['fields']): SessionRecord['fields'] {
  return mergeFields(NO_FIELDS, fields, undefined)
}

function unindex(data: MemoryData, record: SessionRecord): void {
  if (record.userId === null) return
  const keys = data.byUser.get(record.userId)
  keys?.delete(record.key)
  if (keys?.size === 0) data.byUser.delete(record.userId)
}
