// The session cookie's value: express-session's own form, `s:<id>.<signature>`, percent-encoded.

import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Secrets } from './secrets.ts'
import { isSessionId } from './session-id.ts'

/** How the cookie of a request looked. `outdated`: signed with an older secret. */
export type CookieReading =
  | { readonly state: 'absent' | 'invalid' | 'duplicate' }
  | { readonly state: 'valid'; readonly id: string; readonly outdated: boolean }

const ABSENT: CookieReading = { state: 'absent' }
const INVALID: CookieReading = { state: 'invalid' }
const DUPLICATE: CookieReading = { state: 'duplicate' }
/** `s%3A` + id + `.` + signature of 43 base64 characters, of which each may be encoded in three. */
const VALUE = /^s%3A([\w-]{46})\.((?:[A-Za-z0-9]|%2B|%2F){43})$/

/** Exactly as it goes into Set-Cookie. */
export function cookieValue(secrets: Secrets, id: string): string {
  return `s%3A${id}.${encodeURIComponent(signature(secrets.newest.text, id))}`
}

/** Only the exact spelling that was sent counts: a second way to write a cookie is a way past a filter. */
export function readCookie(secrets: Secrets, name: string, header: string | undefined): CookieReading {
  if (header === undefined || !header.includes(name)) return ABSENT
  const values = valuesOf(header, name)
  // Two cookies of our name: a sibling domain may have planted one, and nothing tells which is ours.
  if (values.length > 1) return DUPLICATE
  const [value] = values
  if (value === undefined) return ABSENT
  const match = VALUE.exec(value)
  const [, id, encoded] = match ?? []
  if (id === undefined || encoded === undefined || !isSessionId(id)) return INVALID
  const sent = Buffer.from(decodeURIComponent(encoded))
  const index = secrets.all.findIndex(({ text }) => timingSafeEqual(Buffer.from(signature(text, id)), sent))
  return index === -1 ? INVALID : { state: 'valid', id, outdated: index > 0 }
}

/** Values of all cookies of this exact name. Only `;` and the ASCII space separate: other white space has hidden cookies before. */
function valuesOf(header: string, name: string): string[] {
  const values: string[] = []
  for (const pair of header.split(';')) {
    const start = pair.startsWith(' ') ? 1 : 0
    if (pair.startsWith(name, start) && pair[start + name.length] === '=')
      values.push(pair.slice(start + name.length + 1))
  }
  return values
}

function signature(secret: string, id: string): string {
  return createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')
}
