// CSRF tokens: an HMAC over the id of a cookie that no script and no other origin can read, masked. Nothing is stored.

import type { Config } from '../config.ts'
import { derivedKeys } from '../lib/derived-keys.ts'
import { equalBytes, mac } from '../lib/keyed-mac.ts'
import { mask, unmask } from '../lib/mask.ts'
import { ensurePreCookie, type PreCookieContext } from './pre-cookie.ts'
import type { RequestSession } from './request-session.ts'

/** The cookie that a token belongs to. */
export interface CsrfBinding {
  readonly cookie: 'session' | 'pre'
  readonly id: string
}

const PURPOSE = 'csrf-token'
const MAC_BYTES = 32

/**
 * A token for forms and scripts of this answer. With a live session it is bound to the session's id; otherwise to the
 * pre-login cookie, which is set where the request brought none. Another text each time, all good as long as the id.
 */
export function issueCsrfToken(services: PreCookieContext, session: RequestSession): string {
  return makeToken(services.config, bindingFor(services, session))
}

/** Whether `token` belongs to `binding`. In constant time. */
export function isCsrfToken(config: Pick<Config, 'secrets'>, binding: CsrfBinding, token: string): boolean {
  const sent = unmask(token, MAC_BYTES)
  if (sent === null) return false
  return derivedKeys(config.secrets, PURPOSE).some((key) => equalBytes(mac(key, binding.cookie, binding.id), sent))
}

function makeToken(config: Pick<Config, 'secrets'>, { cookie, id }: CsrfBinding): string {
  return mask(mac(derivedKeys(config.secrets, PURPOSE)[0], cookie, id))
}

function bindingFor(services: PreCookieContext, session: RequestSession): CsrfBinding {
  if (session.session !== null) return { cookie: 'session', id: session.session.id }
  // The store could not be asked: the cookie may well be a live one, and its tokens are the ones that will count.
  if (session.state === 'unknown' && session.cookieId !== null) return { cookie: 'session', id: session.cookieId }
  return { cookie: 'pre', id: ensurePreCookie(services, session.req, session.res) }
}
