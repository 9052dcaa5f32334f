// What of a session may leave the server: its public handle and times. Never the key, never a field.

import type { SessionColumns } from './record.ts'

/** The session of the caller, as `req.auth` and `/auth/status` show it. Times are epoch milliseconds. */
export interface PublicSession {
  /** The public handle. */
  readonly id: string
  readonly createdAt: number
  readonly expiresAt: number
  readonly idleExpiresAt: number
  readonly authTime: number | null
  readonly amr: readonly string[]
}

/** A session in a user's list of devices. */
export interface ListedSession {
  readonly id: string
  /** Whether it is the one that asks. */
  readonly current: boolean
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly device: string
  readonly ip: string
  readonly amr: readonly string[]
}

export function publicSession(row: SessionColumns): PublicSession {
  const { handle: id, createdAt, expiresAt, idleExpiresAt, authTime, amr } = row
  return { id, createdAt, expiresAt, idleExpiresAt, authTime, amr }
}

/** `ownHandle` is that of the session that asks. */
export function listedSession(row: SessionColumns, ownHandle: string | undefined): ListedSession {
  const { handle: id, createdAt, lastSeenAt, expiresAt, device, ip, amr } = row
  return { id, current: id === ownHandle, createdAt, lastSeenAt, expiresAt, device, ip, amr }
}
