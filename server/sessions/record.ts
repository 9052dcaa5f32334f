// The session record as a store keeps it: plain columns, and fields sealed one by one.

import type { EndReason } from './reasons.ts'

/** The plain columns of a session. Times are epoch milliseconds. */
export interface SessionColumns {
  /** Primary key: the id's tag (3 characters) and the base64url SHA-256 of the id (43). The id is stored nowhere. */
  readonly key: string
  /** Random public id (22 characters of base64url), for device lists, logs and URLs. */
  readonly handle: string
  /** PocketBase record id, `null` before login. */
  readonly userId: string | null
  /** PocketBase auth collection, `null` before login. */
  readonly collection: string | null
  readonly createdAt: number
  /** When the user last proved who they are (OIDC `auth_time`), `null` before login. */
  readonly authTime: number | null
  /** When PocketBase last confirmed the token, `null` before login. */
  readonly validatedAt: number | null
  readonly lastSeenAt: number
  readonly idleExpiresAt: number
  /** Absolute deadline, never extended. */
  readonly expiresAt: number
  /** `exp` of the sealed PocketBase token, `null` without one. The session never outlives it. */
  readonly tokenExpiresAt: number | null
  /** Authentication methods (RFC 8176), `['pwd']`; empty before login. */
  readonly amr: readonly string[]
  /** A coarse label, "Firefox on Linux". */
  readonly device: string
  /** The address cut to /24 or /48. */
  readonly ip: string
  readonly remembered: boolean
  /** Lifetime of the cookie in milliseconds; `null` is a browser-session cookie. */
  readonly cookie: number | null
  /** Raised by every write but touch; starts at 1. */
  readonly version: number
}

/** A live session. Field values are sealed (`seal.ts`); a store never reads them. */
export interface SessionRecord extends SessionColumns {
  readonly fields: ReadonlyMap<string, Uint8Array>
}

/** Columns that an update may set. `key`, `handle`, `createdAt`, `expiresAt` and `userId` never change in a row. */
export type MutableColumns = Pick<
  SessionColumns,
  'authTime' | 'validatedAt' | 'lastSeenAt' | 'idleExpiresAt' | 'tokenExpiresAt' | 'amr' | 'device' | 'ip' | 'cookie'
>

/** What stays of an ended session until its absolute deadline. Its fields are erased. */
export interface EndedSession {
  readonly reason: EndReason
  readonly endedAt: number
  readonly userId: string | null
}
