// `req.user`, `req.auth` and the lazy `req.session`, `req.sessionID`, `req.sessionStore` of one request.
// They are the request's own, not its prototype's: an app that another hands the request to changes the prototype.

import type { Request } from 'express'
import { authContext } from './auth-context.ts'
import { contextOf, type RequestContext } from './request-context.ts'

/** What other middleware (passport) has assigned to `req.user`: read back in this request, stored nowhere. */
const assignedUsers = new WeakMap<Request, unknown>()

type SessionName = 'session' | 'sessionID' | 'sessionStore'

const USER: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  get() {
    if (assignedUsers.has(this)) return assignedUsers.get(this)
    return known(this)?.user ?? undefined
  },
  set(user: unknown) {
    assignedUsers.set(this, user)
  },
}

/** Without a setter: what a handler reads here is what the session says, or the assignment fails. */
const AUTH: PropertyDescriptor & ThisType<Request> = {
  configurable: true,
  get() {
    const context = known(this)
    return context === undefined ? undefined : authContext(context)
  },
}

// Not enumerable: a spread or a logger's dump of the request must not start a session.
const SESSION = { session: lazy('session'), sessionID: lazy('sessionID'), sessionStore: lazy('sessionStore') }

/** Leaves a `req.session` or `req.user` of another layer alone. */
export function defineAccessors(req: Request): void {
  Object.defineProperty(req, 'auth', AUTH)
  if (!('user' in req)) Object.defineProperty(req, 'user', USER)
  if ('session' in req) return
  Object.defineProperty(req, 'session', SESSION.session)
  Object.defineProperty(req, 'sessionID', SESSION.sessionID)
  Object.defineProperty(req, 'sessionStore', SESSION.sessionStore)
}

function lazy(name: SessionName): PropertyDescriptor & ThisType<Request> {
  return {
    configurable: true,
    get(): unknown {
      return start(this) ? this[name] : undefined
    },
    set(value: unknown) {
      // First, so that what is assigned is judged as an assignment to a session that was there.
      start(this)
      Object.defineProperty(this, name, { configurable: true, enumerable: true, writable: true, value })
    },
  }
}

/** Puts data properties in the place of the accessors. */
function start(req: Request): boolean {
  const context = known(req)
  if (context === undefined || context.started) return false
  context.kit.engine.start(context)
  return true
}

/**
 * The context of a request whose session is known. `undefined` where it is not and the answer has begun: a logger that
 * reads `req.user` then has to get something. @throws ProblemError 503 before that
 */
function known(req: Request): RequestContext | undefined {
  const context = contextOf(req)
  if (context === undefined || context.error === null) return context
  if (context.isSent) return undefined
  throw context.error
}
