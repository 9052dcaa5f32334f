// Cross-site request forgery: two checks of every unsafe request, each of which stops the attack by itself.

import type { RequestHandler } from 'express'
import type { ProblemError } from '../errors.ts'
import type { Services } from '../services.ts'
import { checkOrigin, isUnsafeMethod } from './check-origin.ts'
import { checkToken, type TokenDemand } from './check-token.ts'
import { requestSession, type RequestSession } from './request-session.ts'

/** What the checks need of the services. */
export type CsrfServices = Pick<Services, 'config' | 'events' | 'now'>

export interface CsrfOptions {
  /** Mount paths that are left to a handler with checks of its own: `['/pb']`. Nothing is checked there and below. */
  readonly except?: readonly string[]
}

const MOUNT_PATH = /^(?:\/[\w-]+)+$/
/** Anything that one part of a server may read in another way than the next: empty and dot segments, encoded ones. */
const AMBIGUOUS = /\/\/|\/\.|[\\;]|%(?:2e|2f|5c)/i

/**
 * Checks every unsafe request: where it comes from, and its token. The token is asked of all that carry a cookie of
 * ours; `auth.routes()` asks for it with or without. Forms that nothing has parsed yet are parsed here, at most 100 kB.
 *
 * @throws (to the error handler) `origin_refused` 403, `csrf_failed` 403, `invalid_request` 400,
 * `payload_too_large` 413, `unsupported_media_type` 415
 */
export function csrf(services: CsrfServices, options: CsrfOptions = {}): RequestHandler {
  const except = options.except ?? []
  const wrong = except.find((path) => !MOUNT_PATH.test(path))
  if (wrong !== undefined) throw new TypeError(`csrf(): except must list paths like /pb, not ${JSON.stringify(wrong)}`)

  return function csrfGuard(req, _res, next) {
    const session = requestSession(req)
    // The path that will be served: a middleware may have rewritten the address since it came in.
    const isLeft = except.length > 0 && isBelow(except, req.baseUrl + req.path)
    // What only reads goes on in the same turn of the event loop.
    if (isLeft || !isUnsafeMethod(req.method)) return next()
    return assertNotForged(services, session, 'with-cookie').then(() => next())
  }
}

/** Both checks. @throws ProblemError */
export async function assertNotForged(
  services: CsrfServices,
  session: RequestSession,
  demand: TokenDemand,
): Promise<void> {
  refuse(services, session, checkOrigin(services, session))
  refuse(services, session, await checkToken(services, session, demand))
}

function refuse(services: CsrfServices, session: RequestSession, problem: ProblemError | null): void {
  if (problem === null) return
  const { req, user, client } = session
  const path = `${req.baseUrl}${req.path}`.slice(0, 200)
  services.events.emit('malicious_csrf', { path, why: problem.code, userId: user?.id ?? null, ip: client.ip })
  throw problem
}

/** Exactly `path` or below it: `/pbx`, `/PB` and `//pb` are not, and no spelling that another part may read differently. */
function isBelow(mounts: readonly string[], path: string): boolean {
  return !AMBIGUOUS.test(path) && mounts.some((mount) => path === mount || path.startsWith(`${mount}/`))
}
