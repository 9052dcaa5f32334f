// Guards: who may pass. A page visitor who is not signed in is sent to the login page and back; everybody else gets
// a problem through the error handler.

import type { RequestHandler } from 'express'
import {
  assertFresh,
  assertKnown,
  assertRole,
  assertSignedIn,
  assertVerified,
  type GuardServices,
} from './assert-access.ts'
import { redirectToLogin, seeOther } from './login-redirect.ts'
import { requestSession, type RequestSession } from './request-session.ts'
import { wantsPage } from './wants-page.ts'

export interface RequireAuthOptions {
  /** One of these roles is needed too, as with {@link requireRole}. */
  readonly roles?: readonly string[]
}

export interface RequireFreshOptions {
  /** How long ago the user may have proved who they are, in milliseconds. Default: `session.freshForMs`. */
  readonly maxAgeMs?: number
}

/** Lets signed-in users pass. @throws `unauthenticated` 401, `session_expired` 401, 503 */
export function requireAuth(services: GuardServices, options: RequireAuthOptions = {}): RequestHandler {
  if (options.roles !== undefined) return requireRole(services, ...options.roles)
  return guard(services, (session) => void assertSignedIn(services, session))
}

/**
 * Lets users with one of the roles pass. PocketBase is asked each time, or as seldom as `revalidate.roleIntervalMs` says.
 * @throws `unauthenticated` 401, `session_expired` 401, `forbidden` 403, 503 where PocketBase cannot be asked
 */
export function requireRole(services: GuardServices, ...roles: readonly string[]): RequestHandler {
  if (roles.length === 0) throw new TypeError('requireRole() needs at least one role; requireAuth() asks for none')
  return guard(services, (session) => assertRole(services, session, roles))
}

/** Lets users with a confirmed e-mail address pass. @throws like {@link requireAuth}, and `forbidden` 403 */
export function requireVerified(services: GuardServices): RequestHandler {
  return guard(services, (session) => assertVerified(services, session))
}

/** Lets users pass who have proved lately who they are. @throws like {@link requireAuth}, and `reauth_required` 403 */
export function requireFresh(services: GuardServices, options: RequireFreshOptions = {}): RequestHandler {
  const maxAgeMs = options.maxAgeMs ?? services.config.session.freshForMs
  return guard(services, (session) => assertFresh(services, session, maxAgeMs))
}

/** Lets visitors pass who are not signed in; sends the others to `paths.afterLogin`. @throws 503 */
export function requireGuest({ config }: GuardServices): RequestHandler {
  return function requireGuestGuard(req, res, next) {
    const session = requestSession(req)
    assertKnown(session)
    if (session.user === null) return next()
    seeOther(res, config.paths.afterLogin)
  }
}

type Check = (session: RequestSession) => void | Promise<void>

function guard(services: GuardServices, check: Check): RequestHandler {
  return function authGuard(req, res, next) {
    const refuse = (error: unknown): void => {
      const isPage = wantsPage(req) && redirectToLogin(services.config, { req, res }, error)
      if (!isPage) next(error)
    }
    let checked: void | Promise<void>
    try {
      checked = check(requestSession(req))
    } catch (error) {
      return refuse(error)
    }
    // Without a promise the rest follows in the same turn of the event loop.
    return checked === undefined ? next() : checked.then(() => next(), refuse)
  }
}
