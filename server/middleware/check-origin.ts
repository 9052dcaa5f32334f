// First CSRF check: where the browser says that an unsafe request comes from. Holds for every such request,
// with a cookie or without (login, registration and mails need no cookie to be abused).

import { ProblemError } from '../errors.ts'
import { readPreCookie, type PreCookieContext } from './pre-cookie.ts'
import type { RequestSession } from './request-session.ts'

const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** Whether a method may change something (RFC 9110, 9.2.1). Unknown ones may. */
export function isUnsafeMethod(method: string): boolean {
  return !SAFE_METHODS.has(method)
}

/**
 * `Sec-Fetch-Site`, where sent, must be `same-origin`; `Origin`, where sent, must be the configured origin to the letter:
 * never `null`, never compared with the Host header, which the client chooses. With neither, nothing speaks for the
 * request, so it is refused while it carries a cookie of ours. Answers `null` where nothing is wrong.
 */
export function checkOrigin(services: PreCookieContext, session: RequestSession): ProblemError | null {
  const { headers } = session.req
  const site = headers['sec-fetch-site']
  const origin = headers.origin
  const expected = services.config.origin
  if (site !== undefined && site !== 'same-origin')
    return refusal(
      'The Sec-Fetch-Site header does not say same-origin: requests from other origins change nothing here.',
    )
  if (origin !== undefined && origin !== expected)
    return refusal(`The Origin header is not ${expected}: requests from other origins change nothing here.`)
  if (site === undefined && origin === undefined && carriesOurCookie(services, session))
    return refusal(`The Origin header is missing. Send "Origin: ${expected}" with a cookie.`)
  return null
}

/** Whether the request brought a session or pre-login cookie, valid or not. */
export function carriesOurCookie(services: PreCookieContext, session: RequestSession): boolean {
  return session.cookieState !== 'absent' || readPreCookie(services, session.req).state !== 'absent'
}

function refusal(message: string): ProblemError {
  return new ProblemError('origin_refused', message)
}
