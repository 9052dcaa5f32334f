// The session middleware: cookie → session → `req.user`, `req.auth`, `req.session`.

import type { Request, RequestHandler, Response } from 'express'
import { andThen, attempt, type MaybePromise } from '../lib/maybe-promise.ts'
import type { CookieReading } from '../sessions/cookie.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { Found } from '../sessions/manager.ts'
import { ExpressSession } from './express-session.ts'
import { hideCookie } from './hide-cookie.ts'
import { isPassive } from './is-passive.ts'
import { RequestContext } from './request-context.ts'
import { REQUEST_SESSION } from './request-session.ts'
import { defineAccessors } from './session-accessors.ts'
import { SessionCookie } from './session-cookie.ts'
import type { SessionKit, SessionServices } from './session-kit.ts'
import { transportCheck } from './transport.ts'

export type { SessionServices } from './session-kit.ts'

/** How long a request waits for PocketBase to confirm its session. */
const REVALIDATE_WAIT_MS = 1000
/** What a page loads to show itself may be kept by the browser. */
const SUBRESOURCES: ReadonlySet<unknown> = new Set(['script', 'style', 'image', 'font'])

/**
 * Finds the session that the request's cookie names. A store that fails leaves it unknown, never anonymous, and the
 * request goes on. A store that answers at once is answered at once: without a turn of the event loop.
 */
export function session(services: SessionServices): RequestHandler {
  const kit: SessionKit = { services, cookie: new SessionCookie(services), engine: new ExpressSession(services) }
  const comesRight = transportCheck(services.config)
  return function sessionMiddleware(req, res, next) {
    if (REQUEST_SESSION in req) {
      next()
      return
    }
    if (!comesRight(req, res)) return
    const reading = services.sessions.readCookie(req.headers.cookie)
    const context = new RequestContext(kit, req, reading)
    Object.defineProperty(req, REQUEST_SESSION, { value: context })
    defineAccessors(req)
    if (reading.state !== 'absent') hideCookie(req, services.config.cookie.name)
    return andThen(lookUp(context, reading), () => next())
  }
}

function lookUp(context: RequestContext, reading: CookieReading): MaybePromise<void> {
  if (reading.state === 'valid') return find(context, reading)
  if (reading.state === 'absent') return
  const { services, cookie } = context.kit
  const isDuplicate = reading.state === 'duplicate'
  services.events.emit('malicious_extraneous', {
    ip: context.client.ip,
    why: isDuplicate ? 'duplicate_cookie' : 'bad_signature',
  })
  if (isDuplicate && !services.config.production) cookie.clearEverywhere(context.req, context.res)
}

function find(context: RequestContext, reading: CookieReading & { readonly state: 'valid' }): MaybePromise<void> {
  const found = attempt(
    () => context.kit.services.sessions.findByCookie(reading),
    (error) => {
      context.failed(error)
      return undefined
    },
  )
  return andThen(found, (value) => settle(context, reading, value))
}

function settle(
  context: RequestContext,
  reading: CookieReading & { readonly state: 'valid' },
  found: Found,
): MaybePromise<void> {
  if (found === undefined) return
  if (found.live === undefined) {
    const { reason, endedAt, userId } = found.ended
    context.foundEnded(reason, endedAt)
    context.kit.services.events.emit('session_use_after_end', { userId, ip: context.client.ip, reason })
    return
  }
  const { live } = found
  context.found(live)
  forbidStorage(context.req, context.res)
  return andThen(reading.outdated ? reseal(context, live) : undefined, () => {
    if (context.state !== 'live') return
    if (!isPassive(context.req)) context.kit.services.sessions.touch(live)
    return follow(context, live)
  })
}

/** An answer made for one user. The handler may still say otherwise. */
function forbidStorage(req: Request, res: Response): void {
  if (!SUBRESOURCES.has(req.headers['sec-fetch-dest'])) res.setHeader('Cache-Control', 'private, no-store')
}

/** The cookie was signed with an older secret: the row goes under the newest one, then the cookie does. */
function reseal(context: RequestContext, live: LiveSession): MaybePromise<void> {
  const { services } = context.kit
  // The old cookie and the old fields are good as long as the secret is configured; the next request tries again.
  const onError = (error: unknown) => services.logger.warn({ err: error }, 'a session could not be sealed anew')
  const done = (result: 'ok' | 'gone' | 'conflict') => {
    if (result === 'ok') context.changeCookie('renew')
  }
  return attempt(() => andThen(services.sessions.reseal(live), done), onError)
}

/** Asks PocketBase whether the user is still who they were: in the background at first, then with a short wait. */
function follow(context: RequestContext, live: LiveSession): MaybePromise<void> {
  const { validatedAt, userId } = live.record
  if (userId === null) return
  const { services } = context.kit
  const { intervalMs } = services.config.revalidate
  const age = services.now() - (validatedAt ?? 0)
  if (age < intervalMs / 2) return
  const isOverdue = age >= intervalMs
  const checked = services.identity
    .revalidate(context, {
      maxAgeMs: isOverdue ? intervalMs : intervalMs / 2,
      waitMs: isOverdue ? REVALIDATE_WAIT_MS : 0,
    })
    .catch((error: unknown) => {
      // PocketBase may have answered, but the store has not: nobody knows better than before.
      services.logger.warn({ err: error }, 'a session could not be revalidated')
      context.setStale(isOverdue)
    })
  if (isOverdue) return checked.then(() => undefined)
}
