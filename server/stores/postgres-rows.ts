// A session as a row of PostgreSQL, and back. The driver hands out every value as PostgreSQL writes it, as text.

import type { EndReason } from '../sessions/reasons.ts'
import type { EndedSession, SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { SessionUpdate } from '../sessions/store.ts'
import { MUTABLE_COLUMNS } from './merge-columns.ts'

export type SqlValue = string | number | boolean | null | readonly string[] | readonly number[]

/** The columns of `postgres-statements.ts`, in their order. */
export type ColumnsRow = readonly [
  key: string,
  handle: string,
  userId: string | null,
  collection: string | null,
  createdAt: string,
  authTime: string | null,
  validatedAt: string | null,
  lastSeenAt: string,
  idleExpiresAt: string,
  expiresAt: string,
  tokenExpiresAt: string | null,
  amr: string,
  device: string,
  ip: string,
  remembered: 't' | 'f',
  cookie: string | null,
  version: string,
  endReason: EndReason | null,
  endedAt: string | null,
]
export type SessionRow = readonly [...ColumnsRow, fields: string | null]

const END_REASON = 17
const ENDED_AT = 18
const FIELDS = 19

/** The values of an insert. */
export function toRow(record: SessionRecord): readonly SqlValue[] {
  return [
    record.key,
    record.handle,
    record.userId,
    record.collection,
    record.createdAt,
    record.authTime,
    record.validatedAt,
    record.lastSeenAt,
    record.idleExpiresAt,
    record.expiresAt,
    record.tokenExpiresAt,
    JSON.stringify(record.amr),
    record.device,
    record.ip,
    record.remembered,
    record.cookie,
    record.version,
    null,
    null,
    toJson(record.fields),
  ]
}

/** The parameters of an update from its fields on: unset, set, which columns are given, and each column's value. */
export function toChanges({ unset = [], set, columns = {} }: SessionUpdate): readonly SqlValue[] {
  const given = MUTABLE_COLUMNS.map((name) =>
    name === 'amr' && columns.amr ? JSON.stringify(columns.amr) : columns[name],
  )
  const bits = given.reduce<number>((sum, value, i) => (value === undefined ? sum : sum | (1 << i)), 0)
  const values = given.map((value) => (value === undefined ? null : (value as SqlValue))) // amr is text by now
  return [unset.map(escapeName), toJson(set ?? new Map()), bits, ...values]
}

export function toColumns(row: ColumnsRow | SessionRow): SessionColumns {
  const [key, handle, userId, collection, createdAt, authTime, validatedAt, lastSeenAt, idleExpiresAt] = row
  const [, , , , , , , , , expiresAt, tokenExpiresAt, amr, device, ip, remembered, cookie, version] = row
  return {
    key,
    handle,
    userId,
    collection,
    createdAt: Number(createdAt),
    authTime: numberOrNull(authTime),
    validatedAt: numberOrNull(validatedAt),
    lastSeenAt: Number(lastSeenAt),
    idleExpiresAt: Number(idleExpiresAt),
    expiresAt: Number(expiresAt),
    tokenExpiresAt: numberOrNull(tokenExpiresAt),
    amr: JSON.parse(amr) as string[], // written by toRow
    device,
    ip,
    remembered: remembered === 't',
    cookie: numberOrNull(cookie),
    version: Number(version),
  }
}

/** A row that is not ended, with its fields. */
export function toRecord(row: SessionRow): SessionRecord {
  if (row[FIELDS] === null) throw new Error('A live session row has lost its fields.')
  return { ...toColumns(row), fields: toFields(row) }
}

/** An ended row has none. */
export function toFields(row: SessionRow): SessionRecord['fields'] {
  const fields = row[FIELDS]
  return fields === null ? new Map() : fromJson(fields)
}

/** How the row was ended, if it was. */
export function toEnded(row: ColumnsRow | SessionRow): EndedSession | null {
  const reason = row[END_REASON]
  return reason === null ? null : { reason, endedAt: Number(row[ENDED_AT]), userId: row[2] }
}

function numberOrNull(text: string | null): number | null {
  return text === null ? null : Number(text)
}

/** Field name → base64: `jsonb` merges by name in one step, and the server does not have to understand more. */
function toJson(fields: ReadonlyMap<string, Uint8Array>): string {
  const entries = Array.from(fields, ([name, value]) => [escapeName(name), base64(value)])
  return JSON.stringify(Object.fromEntries(entries))
}

function fromJson(json: string): SessionRecord['fields'] {
  const values = JSON.parse(json) as Record<string, string> // written by toJson
  return new Map(Object.entries(values).map(([name, value]) => [unescapeName(name), Buffer.from(value, 'base64')]))
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

/** PostgreSQL has no text with a NUL or half a surrogate pair; a name may come from an app's input. */
function escapeName(name: string): string {
  return name.toWellFormed().replaceAll(/[%\0]/g, encodeURIComponent)
}

function unescapeName(name: string): string {
  return name.replaceAll(/%(?:25|00)/g, decodeURIComponent)
}
