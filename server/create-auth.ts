// Options → the kit that an Express app mounts.

import { createServices } from './create-services.ts'
import { resolveConfig } from './config.ts'
import { SessionGoneError } from './errors.ts'
import { csrf } from './middleware/csrf.ts'
import { issueCsrfToken } from './middleware/csrf-token.ts'
import { errorHandler } from './middleware/error-handler.ts'
import { requireAuth, requireFresh, requireGuest, requireRole, requireVerified } from './middleware/guards.ts'
import { requestSession } from './middleware/request-session.ts'
import { securityHeaders } from './middleware/security-headers.ts'
import { session } from './middleware/session.ts'
import { authRoutes } from './routes/auth.ts'
import { pagesRouter, sendPage } from './routes/pages.ts'
import type { ErrorRequestHandler, Request, RequestHandler, Router } from 'express'
import type { OwnedServices } from './create-services.ts'
import type { AuthOptions, UserRecord } from './config.ts'
import type { AuthEventEmitter } from './events.ts'
import type { Credentials } from './identity.ts'
import type { CsrfOptions } from './middleware/csrf.ts'
import type { RequireAuthOptions, RequireFreshOptions } from './middleware/guards.ts'
import type { FlowMount } from './routes/flow-router.ts'
import type { PagesOptions } from './routes/pages.ts'
import type { SessionColumns } from './sessions/record.ts'

/** What anybody may know of a session. */
export type SessionInfo = Pick<
  SessionColumns,
  'createdAt' | 'lastSeenAt' | 'expiresAt' | 'device' | 'ip' | 'amr' | 'remembered'
> & {
  /** The public handle, never the cookie's value. */
  readonly id: string
}

/** Sessions of users, for an app's own pages and jobs. Nobody can read their content without the cookie. */
export interface AuthSessions {
  /** Live sessions of a user, newest first. @throws ProblemError `store_unavailable` */
  listByUser(userId: string): Promise<readonly SessionInfo[]>
  /** Ends one session of a user by its `id`. Answers how many it ended: 1 or 0. @throws ProblemError `store_unavailable` */
  end(userId: string, id: string): Promise<number>
  /** Ends all sessions of a user. Answers how many. @throws ProblemError `store_unavailable` */
  endByUser(userId: string): Promise<number>
}

/** The kit. Mount `session()` before everything that wants to know who asks, and `errorHandler()` last. */
export interface Auth {
  /** Security headers by helmet, with a Content-Security-Policy of one nonce per answer (`res.locals.cspNonce`). */
  securityHeaders(): RequestHandler
  /** Cookie → session → `req.user`, `req.auth`, `req.session`. */
  session(): RequestHandler
  /** Refuses forged unsafe requests, by origin and by token. */
  csrf(options?: CsrfOptions): RequestHandler
  /** Login, registration, logout, status, password reset, devices …; mount it at `/auth`. */
  routes(): FlowMount
  /** `/login`, `/register`, `/account` …; mount it at the root. */
  pages(options?: PagesOptions): Router
  /**
   * A CSRF token for a form of the app's own: a hidden field `_csrf`, or the header `X-CSRF-Token` of its scripts. Sets
   * the pre-login cookie where the visitor is not signed in, so the answer must not have begun.
   */
  csrfToken(req: Request): string
  requireAuth(options?: RequireAuthOptions): RequestHandler
  requireRole(...roles: readonly string[]): RequestHandler
  requireGuest(): RequestHandler
  requireVerified(): RequestHandler
  requireFresh(options?: RequireFreshOptions): RequestHandler
  /** Answers errors: RFC 9457 problems, or a page for a page visitor. */
  errorHandler(): ErrorRequestHandler
  /**
   * Signs the browser of this request in: by identity and password, or by a token that the app got from PocketBase.
   * The session gets a new id, and its cookie goes out with the answer. Answers the user.
   * @throws ProblemError `invalid_credentials`, `mfa_required`, `rate_limited`, `store_unavailable`, `pocketbase_unavailable`
   * @example
   * app.post('/enter', async (req, res) => {
   *   const user = await auth.signIn(req, { identity: req.body.email, password: req.body.password })
   *   res.send(`Hello ${user.email}`)
   * })
   */
  signIn(req: Request, credentials: Credentials, options?: { readonly remember?: boolean }): Promise<UserRecord>
  /** Ends the session of this request and clears its cookie. Without one there is nothing to do. */
  signOut(req: Request): Promise<void>
  /**
   * Changes one field of `req.session` so that parallel requests all count. `change` may run more than once and gets the
   * value as it is in the store. Answers the new value.
   * @throws ProblemError `session_expired`, `store_unavailable`
   */
  updateSession<T>(req: Request, field: string, change: (value: T | undefined) => T): Promise<T>
  readonly sessions: AuthSessions
  /** Audit events, for a log or an alarm of one's own. */
  readonly events: AuthEventEmitter
  /** Writes what waits and closes the store. */
  close(): Promise<void>
}

/**
 * Server-side sessions for an Express app whose users live in PocketBase.
 * A PocketBase or store that is away does not stop the start: it is tried again, and until it is there requests that need
 * it are answered with 503.
 * @throws ConfigError with all problems of the options at once
 * @example
 * const auth = await createAuth({ pocketbase: 'http://127.0.0.1:8090', origin: 'http://localhost:3000', secret })
 * app.use(auth.session(), auth.csrf())
 * app.use('/auth', auth.routes())
 * app.use(auth.pages())
 * app.get('/reports', auth.requireAuth(), (req, res) => res.send(`Hello ${req.user?.email}`))
 * app.use(auth.errorHandler())
 */
export async function createAuth(options: AuthOptions): Promise<Auth> {
  return authKit(await createServices(resolveConfig(options)))
}

/** The kit over services that are there already. */
export function authKit(services: OwnedServices): Auth {
  return {
    securityHeaders: () => securityHeaders(services),
    session: () => session(services),
    csrf: (options) => csrf(services, options),
    routes: () => authRoutes(services),
    pages: (options) => pagesRouter(services, options),
    csrfToken: (req) => issueCsrfToken(services, requestSession(req)),
    requireAuth: (options) => requireAuth(services, options),
    requireRole: (...roles) => requireRole(services, ...roles),
    requireGuest: () => requireGuest(services),
    requireVerified: () => requireVerified(services),
    requireFresh: (options) => requireFresh(services, options),
    errorHandler: () => errorHandler(services, sendPage),
    signIn: (req, credentials, options) => signIn(services, req, { credentials, options: options ?? {} }),
    signOut: (req) => services.identity.signOut(requestSession(req)),
    updateSession: (req, field, change) => updateSession(services, req, { field, change }),
    sessions: authSessions(services),
    events: services.events,
    close: () => services.close(),
  }
}

async function signIn(
  { identity }: OwnedServices,
  req: Request,
  { credentials, options }: { readonly credentials: Credentials; readonly options: { readonly remember?: boolean } },
): Promise<UserRecord> {
  const live = await identity.signIn(requestSession(req), credentials, options)
  const user = live.user<UserRecord>()
  if (user === null) throw new TypeError('a session was made without its user')
  return user
}

async function updateSession<T>(
  { sessions }: OwnedServices,
  req: Request,
  { field, change }: { readonly field: string; readonly change: (value: T | undefined) => T },
): Promise<T> {
  const { session: live, error } = requestSession(req)
  if (error !== null) throw error
  // What a field holds is the app's own business.
  if (live === null) return startField(req, field, change as (value: unknown) => T)
  let written: { readonly value: T } | undefined
  const result = await sessions.updateField(live, `data:${field}`, (value) => {
    written = { value: change(value as T | undefined) }
    return written.value
  })
  if (result === 'gone' || written === undefined) throw new SessionGoneError()
  return written.value
}

/** A visitor without a session gets one with this answer, as with any change of `req.session`. */
function startField<T>(req: Request, field: string, change: (value: unknown) => T): T {
  // `SessionData` is open to the app by declaration merging; here its names are not known.
  const data = req.session as unknown as Record<string, unknown>
  const value = change(data[field])
  data[field] = value
  return value
}

function authSessions({ sessions }: OwnedServices): AuthSessions {
  return {
    listByUser: async (userId) => (await sessions.listByUser(userId)).map(toInfo),
    end: async (userId, id) => sessions.endByHandle(userId, id, 'admin_revoked'),
    endByUser: async (userId) => sessions.endByUser(userId, 'admin_revoked'),
  }
}

function toInfo({
  handle,
  createdAt,
  lastSeenAt,
  expiresAt,
  device,
  ip,
  amr,
  remembered,
}: SessionColumns): SessionInfo {
  return { id: handle, createdAt, lastSeenAt, expiresAt, device, ip, amr, remembered }
}
