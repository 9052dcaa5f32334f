// A session as a row of the SQLite file, and back.

import type { SQLInputValue } from 'node:sqlite'
import type { EndReason } from '../sessions/reasons.ts'
import type { EndedSession, SessionColumns, SessionRecord } from '../sessions/record.ts'
import { packFields, unpackFields } from './pack-fields.ts'

/** A row as `setReturnArrays` hands it out; the tables are STRICT, so the types hold. */
export type ColumnsRow = readonly [
  key: string,
  handle: string,
  userId: string | null,
  collection: string | null,
  createdAt: number,
  authTime: number | null,
  validatedAt: number | null,
  lastSeenAt: number,
  idleExpiresAt: number,
  expiresAt: number,
  tokenExpiresAt: number | null,
  amr: string,
  device: string,
  ip: string,
  remembered: number,
  cookie: number | null,
  version: number,
  endReason: EndReason | null,
  endedAt: number | null,
]
export type SessionRow = readonly [...ColumnsRow, fields: Uint8Array | null]

/** The columns of {@link ColumnsRow}, in its order. */
export const COLUMNS = `key, handle, user_id, collection, created_at, auth_time, validated_at, last_seen_at, idle_expires_at,
  expires_at, token_expires_at, amr, device, ip, remembered, cookie, version, end_reason, ended_at`

const END_REASON = 17
const FIELDS = 19

/** The values of an INSERT of `COLUMNS, fields`. */
export function toRow(record: SessionRecord): SQLInputValue[] {
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
    record.remembered ? 1 : 0,
    record.cookie,
    record.version,
    null,
    null,
    packFields(record.fields),
  ]
}

/** The values of the UPDATE of a live row. */
export function toUpdate(record: SessionRecord): SQLInputValue[] {
  return [
    record.authTime,
    record.validatedAt,
    record.lastSeenAt,
    record.idleExpiresAt,
    record.tokenExpiresAt,
    JSON.stringify(record.amr),
    record.device,
    record.ip,
    record.cookie,
    record.version,
    packFields(record.fields),
    record.key,
  ]
}

export function toColumns(row: ColumnsRow | SessionRow): SessionColumns {
  const [key, handle, userId, collection, createdAt, authTime, validatedAt, lastSeenAt, idleExpiresAt] = row
  const [, , , , , , , , , expiresAt, tokenExpiresAt, amr, device, ip, remembered, cookie, version] = row
  return {
    key,
    handle,
    userId,
    collection,
    createdAt,
    authTime,
    validatedAt,
    lastSeenAt,
    idleExpiresAt,
    expiresAt,
    tokenExpiresAt,
    amr: JSON.parse(amr) as string[], // written by toRow
    device,
    ip,
    remembered: remembered === 1,
    cookie,
    version,
  }
}

/** A row that is not ended, with its fields. */
export function toRecord(row: SessionRow): SessionRecord {
  const packed = row[FIELDS]
  if (packed === null) throw new Error('A live session row has lost its fields.')
  return { ...toColumns(row), fields: unpackFields(packed) }
}

/** How the row was ended, if it was. */
export function toEnded(row: ColumnsRow | SessionRow): EndedSession | null {
  const reason = row[END_REASON]
  return reason === null ? null : { reason, endedAt: row[18] ?? 0, userId: row[2] }
}
