// Keeps the token of a mail link out of the address bar while its page is shown: sealed, for 30 minutes, in a cookie
// that no script reads. So it reaches no history, no Referer and no log.

import { createSecretKey } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Response } from 'express'
import type { Config } from '../config.ts'
import { cookieValues } from '../lib/cookie-values.ts'
import { derivedKeys } from '../lib/derived-keys.ts'
import { seal, unseal, type SealKey } from '../lib/seal.ts'
import { putCookie } from './put-cookie.ts'

/** What is needed of the services. */
export interface LinkContext {
  readonly config: Pick<Config, 'cookie' | 'secrets'>
  readonly now: () => number
}

const LIFETIME_MS = 30 * 60 * 1000
/** PocketBase's tokens have about 300 characters; a browser drops a cookie beyond 4096. */
const MAX_TOKEN_LENGTH = 2048
const PURPOSE = 'link-cookie'

const spent = new WeakSet<IncomingMessage>()

/** Puts a mail link's token into the cookie, in place of an earlier one. One that is too long is no token. */
export function putLink({ config, now }: LinkContext, res: Response, token: string): void {
  if (token === '' || token.length > MAX_TOKEN_LENGTH) return
  const [newest] = sealKeys(config.secrets)
  const text = JSON.stringify([now() + LIFETIME_MS, token])
  const value = newest === undefined ? '' : seal(newest, text, config.cookie.linkName).toString('base64url')
  putCookie(res, { name: config.cookie.linkName, value, maxAgeMs: LIFETIME_MS, secure: config.cookie.secure })
}

/** The token, `null` where there is none, it is too old, or the cookie is not one of ours. */
export function readLink({ config, now }: LinkContext, req: IncomingMessage): string | null {
  if (spent.has(req)) return null
  const values = cookieValues(req.headers.cookie, config.cookie.linkName)
  const [value] = values
  if (value === undefined || values.length > 1 || !/^[\w-]+$/.test(value)) return null
  const envelope = Buffer.from(value, 'base64url')
  for (const key of sealKeys(config.secrets)) {
    const text = unseal(key, envelope, config.cookie.linkName)
    if (text === null) continue
    const [expiresAt, token] = JSON.parse(text) as [number, string] // sealed by putLink
    return expiresAt > now() ? token : null
  }
  return null
}

/** The token is spent: neither the next request has it nor the rest of this one. */
export function clearLink({ config }: LinkContext, res: Response): void {
  spent.add(res.req)
  putCookie(res, { name: config.cookie.linkName, value: '', maxAgeMs: 0, secure: config.cookie.secure })
}

function sealKeys(secrets: readonly string[]): readonly SealKey[] {
  const keys = derivedKeys(secrets, PURPOSE)
  const ids = derivedKeys(secrets, `${PURPOSE}/id`)
  return keys.map((key, i) => ({ key: createSecretKey(key), id: (ids[i] ?? key).subarray(0, 4) }))
}
