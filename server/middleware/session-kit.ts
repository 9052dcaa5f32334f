// What the session of every request shares: the services, the cookie, and express-session.

import type { Services } from '../services.ts'
import type { RequestContext } from './request-context.ts'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { SessionCookie } from './session-cookie.ts'

/** What `session()` needs of the services. */
export type SessionServices = Pick<Services, 'config' | 'sessions' | 'identity' | 'events' | 'logger' | 'now'>

/** `req.session` of a request, once it has been touched. */
export interface SessionEngine {
  /** Puts `req.session`, `req.sessionID` and `req.sessionStore` in place. Synchronous: the record has been loaded. */
  start(context: RequestContext): void
  /** Reads `req.session` anew from the request's session. */
  reread(context: RequestContext): void
  /** What `save` would write, by name. */
  unsaved(context: RequestContext): ReadonlyMap<string, unknown>
  /** Writes what has changed. @throws ProblemError, and UsageError where `req.session` is no session */
  save(context: RequestContext): MaybePromise<void>
}

export interface SessionKit {
  readonly services: SessionServices
  readonly cookie: SessionCookie
  readonly engine: SessionEngine
}
