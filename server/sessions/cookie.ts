// The session cookie's value: express-session's own form, `s:<id>.<signature>`, percent-encoded.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { BoundedCache } from '../lib/bounded-cache.ts'
import { cookieValues } from '../lib/cookie-values.ts'
import type { SealedUser } from './live-session.ts'
import { OpenedFields } from './opened-fields.ts'
import type { Secrets } from './secrets.ts'
import { sessionKey } from './session-id.ts'

/** A well-signed cookie. `outdated`: signed with an older secret. */
export interface SignedCookie {
  readonly state: 'valid'
  readonly id: string
  readonly key: string
  readonly outdated: boolean
  /** What has been opened of the session that it names. */
  readonly opened: OpenedFields<SealedUser>
}

/** How the cookie of a request looked. */
export type CookieReading = { readonly state: 'absent' | 'invalid' | 'duplicate' } | SignedCookie

const ABSENT: CookieReading = { state: 'absent' }
const INVALID: CookieReading = { state: 'invalid' }
const DUPLICATE: CookieReading = { state: 'duplicate' }
/** `s%3A` + id + `.` + signature of 43 base64 characters, of which each may be encoded in three. */
const VALUE = /^s%3A([\w-]{46})\.((?:[A-Za-z0-9]|%2B|%2F){43})$/
/** A longer header is read anew each time. */
const MAX_CACHED_HEADER = 1024
/** About what an entry takes: the header, the reading, and the user record of the session opened with it. */
const ENTRY_BYTES = 1200

export class CookieReader {
  readonly #secrets: Secrets
  readonly #name: string
  /** Only well-signed headers: what anybody can make up must not push out what is in use. */
  readonly #signed: BoundedCache<SignedCookie>

  /** `cacheBytes`: how much may be kept of readings, so that a header that came before costs no second check. */
  constructor(secrets: Secrets, name: string, cacheBytes: number) {
    this.#secrets = secrets
    this.#name = name
    this.#signed = new BoundedCache(cacheBytes)
  }

  read(header: string | undefined): CookieReading {
    if (header === undefined || !header.includes(this.#name)) return ABSENT
    const known = this.#signed.get(header)
    if (known !== undefined) return known
    const reading = readCookie(this.#secrets, this.#name, header)
    if (reading.state === 'valid' && header.length <= MAX_CACHED_HEADER) {
      this.#signed.set(header, reading, header.length + ENTRY_BYTES)
    }
    return reading
  }
}

/** Exactly as it goes into Set-Cookie. */
export function cookieValue(secrets: Secrets, id: string): string {
  return `s%3A${id}.${encodeURIComponent(signature(secrets.newest.text, id))}`
}

/** Only the exact spelling that was sent counts: a second way to write a cookie is a way past a filter. */
export function readCookie(secrets: Secrets, name: string, header: string | undefined): CookieReading {
  const values = cookieValues(header, name)
  // Two cookies of our name: a sibling domain may have planted one, and nothing tells which is ours.
  if (values.length > 1) return DUPLICATE
  const [value] = values
  if (value === undefined) return ABSENT
  const [, id, encoded] = VALUE.exec(value) ?? []
  if (id === undefined || encoded === undefined) return INVALID
  const sent = Buffer.from(decodeURIComponent(encoded))
  const index = secrets.all.findIndex(({ text }) => timingSafeEqual(Buffer.from(signature(text, id)), sent))
  if (index === -1) return INVALID
  return { state: 'valid', id, key: sessionKey(id), outdated: index > 0, opened: new OpenedFields() }
}

function signature(secret: string, id: string): string {
  return createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '')
}
