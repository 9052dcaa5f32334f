// One Set-Cookie per name and answer: a later one replaces an earlier one.

import type { Response } from 'express'

export interface CookieToPut {
  readonly name: string
  /** Of characters that need no encoding. Empty clears the cookie. */
  readonly value: string
  /** Lifetime; 0 clears the cookie. */
  readonly maxAgeMs: number
  readonly secure: boolean
}

/** Sets a cookie that only we read: HttpOnly, SameSite=Lax, for the whole site, without Domain. */
export function putCookie(res: Response, cookie: CookieToPut): void {
  const line = [
    `${cookie.name}=${cookie.value}`,
    `Max-Age=${Math.floor(cookie.maxAgeMs / 1000)}`,
    'Path=/',
    ...(cookie.maxAgeMs > 0 ? [] : ['Expires=Thu, 01 Jan 1970 00:00:00 GMT']),
    'HttpOnly',
    ...(cookie.secure ? ['Secure'] : []),
    'SameSite=Lax',
  ].join('; ')
  const others = cookieLines(res).filter((other) => !other.startsWith(`${cookie.name}=`))
  res.setHeader('Set-Cookie', [...others, line])
}

function cookieLines(res: Response): readonly string[] {
  const lines = res.getHeader('Set-Cookie')
  if (lines === undefined) return []
  return Array.isArray(lines) ? lines : [String(lines)]
}
