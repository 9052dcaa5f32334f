// The cookie that CSRF tokens are bound to before there is a session: random, signed, kept nowhere.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import type { Config } from '../config.ts'
import { cookieValues } from '../lib/cookie-values.ts'
import { derivedKeys } from '../lib/derived-keys.ts'
import { equalBytes, mac } from '../lib/keyed-mac.ts'
import { putCookie } from './put-cookie.ts'

/** What is needed of the services. */
export interface PreCookieContext {
  readonly config: Pick<Config, 'cookie' | 'origin' | 'secrets'>
  readonly now: () => number
}

/** The pre-login cookie of a request. `invalid`: there, but not one of ours, too old, or twice. */
export type PreCookie =
  | { readonly state: 'absent' | 'invalid' }
  | { readonly state: 'valid'; readonly id: string; readonly issuedAt: number }

export const PRE_COOKIE_LIFETIME_MS = 12 * 60 * 60 * 1000
const PURPOSE = 'pre-cookie'
/** Time of issue in base 36, 16 random bytes, and the signature over both. */
const VALUE = /^([0-9a-z]{1,11})\.([\w-]{22})\.([\w-]{43})$/

const issued = new WeakMap<Response, string>()

export function readPreCookie({ config, now }: PreCookieContext, req: IncomingMessage): PreCookie {
  const values = cookieValues(req.headers.cookie, config.cookie.preName)
  const [value] = values
  if (value === undefined) return { state: 'absent' }
  const [, time, id, signature] = VALUE.exec(value) ?? []
  // Two of our name: a sibling domain may have planted one, and nothing tells which is ours.
  if (values.length > 1 || time === undefined || id === undefined || signature === undefined)
    return { state: 'invalid' }
  const sent = Buffer.from(signature, 'base64url')
  const keys = derivedKeys(config.secrets, PURPOSE)
  if (!keys.some((key) => equalBytes(mac(key, time, id), sent))) return { state: 'invalid' }
  const issuedAt = Number.parseInt(time, 36)
  const age = now() - issuedAt
  return age > PRE_COOKIE_LIFETIME_MS ? { state: 'invalid' } : { state: 'valid', id, issuedAt }
}

/**
 * The id that tokens of this answer are bound to. Sets the cookie where the request brought none; one that is
 * half through its life is signed anew under the same id, so that forms in other tabs stay good.
 */
export function ensurePreCookie(context: PreCookieContext, req: IncomingMessage, res: Response): string {
  const already = issued.get(res)
  if (already !== undefined) return already
  const found = readPreCookie(context, req)
  if (found.state === 'valid' && context.now() - found.issuedAt < PRE_COOKIE_LIFETIME_MS / 2) return found.id
  const id = found.state === 'valid' ? found.id : randomBytes(16).toString('base64url')
  const { config, now } = context
  const time = now().toString(36)
  const signature = mac(derivedKeys(config.secrets, PURPOSE)[0], time, id).toString('base64url')
  const { preName: name, secure } = config.cookie
  putCookie(res, { name, value: `${time}.${id}.${signature}`, maxAgeMs: PRE_COOKIE_LIFETIME_MS, secure })
  issued.set(res, id)
  return id
}

/** After a login: the session takes over. Does nothing where the request brought none and none was set. */
export function clearPreCookie(context: PreCookieContext, req: IncomingMessage, res: Response): void {
  if (!issued.delete(res) && readPreCookie(context, req).state === 'absent') return
  const { preName: name, secure } = context.config.cookie
  putCookie(res, { name, value: '', maxAgeMs: 0, secure })
}
