// The store contract. Only `create` and `replace` bring a row into being and ids are never used twice,
// so a dead session stays dead whatever a slow request, a touch or another node does later.

import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { EndedSession, MutableColumns, SessionColumns, SessionRecord } from './record.ts'
import type { EndReason } from './reasons.ts'

/** The answer to `find`. Failing to look is an error, never `undefined`. */
export type FindResult =
  | { readonly live: SessionRecord; readonly ended?: undefined }
  | { readonly live?: undefined; readonly ended: EndedSession }
  | undefined

/** Named changes to one row, merged inside the store in one atomic step. */
export interface SessionUpdate {
  /** Sealed fields to set. */
  readonly set?: ReadonlyMap<string, Uint8Array>
  /** Fields to remove. */
  readonly unset?: readonly string[]
  readonly columns?: Partial<MutableColumns>
  /** Write only if the row still has this version. */
  readonly ifVersion?: number
}

/** A touch: the larger value of each wins. */
export interface SessionTouch {
  readonly key: string
  readonly lastSeenAt: number
  readonly idleExpiresAt: number
}

/** A page of `scan`: all rows, live and ended, in an order of the store's own. */
export interface ScanPage {
  readonly sessions: readonly (SessionColumns & { readonly ended: EndedSession | null })[]
  /** `null` after the last page. */
  readonly cursor: string | null
}

/**
 * Where sessions are kept. "Live" means: not ended, `idleExpiresAt > now` and `expiresAt > now`.
 * Every call may answer at once or by a promise; it throws or rejects where it could not look or write
 * (a write that rejects has an unknown outcome).
 */
export interface Store {
  /** Name for messages: `sqlite`, `redis` … */
  readonly name: string
  open(): MaybePromise<void>
  close(): MaybePromise<void>
  ping(): MaybePromise<void>
  /** What the engine, as it is set up, could lose or evict: sentences for the operator, asked once after `open`. */
  warnings?(): MaybePromise<readonly string[]>

  /** A row whose time has run out answers as ended, reason `idle_timeout` or `absolute_timeout`. */
  find(key: string, now: number): MaybePromise<FindResult>
  /** @throws if the key exists, live or ended. */
  create(record: SessionRecord): MaybePromise<void>
  /** Merges the named fields; never creates. Answers the new version. */
  update(key: string, update: SessionUpdate, now: number): MaybePromise<number | 'gone' | 'conflict'>
  /** Larger values win; never creates, never changes `version`. Rows that are not live are passed over. */
  touch(touches: readonly SessionTouch[], now: number): MaybePromise<void>
  /** Ends `oldKey` (reason `rotated`) and creates `record` in one atomic step; writes nothing if the old one was not live. */
  replace(
    oldKey: string,
    record: SessionRecord,
    options: { readonly ifVersion?: number },
    now: number,
  ): MaybePromise<'replaced' | 'gone' | 'conflict'>
  /** Ends a live session and erases its fields. Answers how many it ended: 1, or 0 where nothing was live. */
  end(key: string, reason: EndReason, now: number): MaybePromise<number>
  /**
   * Ends all live sessions of a user but `exceptKey`. Before it lists anything it raises the store's epoch by one
   * and notes it for the user. Answers how many it ended.
   */
  endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    options?: { readonly exceptKey?: string },
  ): MaybePromise<number>
  /** The store's epoch; with a user, the one at which all of that user's sessions were last ended (0 for never), kept at least a day. */
  epoch(userId?: string): MaybePromise<number>
  /** Live sessions of a user, plain columns only, newest first. */
  listByUser(userId: string, now: number): MaybePromise<readonly SessionColumns[]>
  scan(cursor: string | null, limit: number): MaybePromise<ScanPage>
  /** One bounded step: deletes rows past `expiresAt`, spent claims, counters and old epochs. Answers how many rows went. */
  deleteExpired(now: number, limit: number): MaybePromise<number>

  /** True for exactly one caller until `until` or `release`. */
  claim(name: string, until: number, now: number): MaybePromise<boolean>
  release(name: string): MaybePromise<void>
  /**
   * Counts in a fixed window that starts with the first hit. `weight` is 1 unless told; 0 only looks and makes no row
   * (a counter that is not there answers `{ count: 0, resetAt: now + windowMs }`).
   */
  hit(
    name: string,
    windowMs: number,
    now: number,
    weight?: 0 | 1,
  ): MaybePromise<{ readonly count: number; readonly resetAt: number }>
  reset(name: string): MaybePromise<void>
}
