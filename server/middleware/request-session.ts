// What one request knows of its session, shared by the middleware, the guards and the flows.

import type { Request, Response } from 'express'
import type { Client } from '../pocketbase/port.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { UserRecord } from '../config.ts'
import { UsageError, type ProblemError } from '../errors.ts'

/** How the session cookie of a request looked. */
export type CookieState = 'absent' | 'invalid' | 'duplicate' | 'valid'

/** The session of one request. `session()` makes it; the rest of the product reads and changes it only through these members. */
export interface RequestSession {
  readonly req: Request
  readonly res: Response
  /** `anonymous`: no session. `ended`: a well-signed cookie of a session that has ended. `unknown`: the store could not be asked. */
  readonly state: 'anonymous' | 'live' | 'ended' | 'unknown'
  readonly cookieState: CookieState
  /** The id of a well-signed cookie, live, ended or unknown. CSRF tokens are bound to it. */
  readonly cookieId: string | null
  readonly session: LiveSession | null
  /** Why and when it ended, with `ended`. */
  readonly ended: { readonly reason: EndReason; readonly endedAt: number } | null
  /** What the guards throw, with `unknown`. */
  readonly error: ProblemError | null
  /** The signed-in user of a live session, frozen. */
  readonly user: UserRecord | null
  /** PocketBase could not confirm the session in time. */
  readonly stale: boolean
  readonly client: Client
  /** Fields of `req.session` that this request has changed and not yet written; `undefined` for one that it has removed. */
  unsaved(): ReadonlyMap<string, unknown>
  /**
   * From now on the request has this session (login, rotation). Sends its cookie and drops the pre-login one;
   * a `req.session` that was touched before is read anew from the session.
   */
  adopt(session: LiveSession): void
  /**
   * The session of this request has ended. Clears the cookie, with the same attributes; `keepCookie` where somebody else
   * has ended it: the browser may hold the cookie of a newer session by now, which a late answer must not wipe.
   */
  drop(reason: EndReason, options?: { readonly keepCookie?: boolean }): void
  /** After a revalidation in this request: reads the session and the user anew. */
  setStale(stale: boolean): void
}

export const REQUEST_SESSION = Symbol('pocketbase-session')

/** The session of this request. @throws UsageError where `auth.session()` has not run. */
export function requestSession(req: Request): RequestSession {
  const found = (req as unknown as Record<symbol, RequestSession | undefined>)[REQUEST_SESSION]
  if (found === undefined) throw new UsageError('auth.session() must be mounted before this: app.use(auth.session())')
  return found
}
