// Session records for tests of stores. Random keys, like real ones: an id is never used twice.

import { randomBytes } from 'node:crypto'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'

export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

/** A signed-in session made at `now`: idle timeout 2 hours, absolute timeout 24 hours, two fields. */
export function sampleSession(now: number, columns: Partial<SessionRecord> = {}): SessionRecord {
  return {
    key: sampleKey(),
    handle: randomBytes(16).toString('base64url'),
    userId: 'user00000000001',
    collection: 'users',
    createdAt: now,
    authTime: now,
    validatedAt: now,
    lastSeenAt: now,
    idleExpiresAt: now + 2 * HOUR,
    expiresAt: now + DAY,
    tokenExpiresAt: now + 7 * DAY,
    amr: ['pwd'],
    device: 'Firefox on Linux',
    ip: '192.0.2.0',
    remembered: false,
    cookie: null,
    version: 1,
    fields: new Map([
      ['token', randomBytes(40)],
      ['data:cart', randomBytes(300)],
    ]),
    ...columns,
  }
}

/** The record as lists show it. */
export function columnsOf(record: SessionRecord): SessionColumns {
  const { fields: _, ...columns } = record
  return columns
}

/** The key of the next id after a rotation: the same tag, another hash. */
export function successorKey(key: string): string {
  return key.slice(0, 3) + randomBytes(32).toString('base64url')
}

export function sampleKey(): string {
  return successorKey(randomBytes(2).toString('base64url'))
}
