// Takes the session cookie out of a request once it has been read. Whoever has its value has the session, and
// cookie-parser with the same secret would put the bare id into req.signedCookies, from where it gets into logs and templates.

import type { Request } from 'express'

/** Works for a cookie-parser that ran before, and for one that is still to come. */
export function hideCookie(req: Request, name: string): void {
  const { cookie } = req.headers
  if (cookie === undefined || !cookie.includes(name)) return
  // Not deleted: an object that lost a property is slower to read for everybody after us.
  req.headers.cookie = cookie.includes(';') ? withoutCookie(cookie, name) : undefined
  forget(req.cookies, name)
  forget(req.signedCookies, name)
}

function withoutCookie(header: string, name: string): string | undefined {
  const others = header.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() !== name)
  return others.length === 0 ? undefined : others.join(';').trimStart()
}

function forget(parsed: unknown, name: string): void {
  if (typeof parsed === 'object' && parsed !== null) Reflect.deleteProperty(parsed, name)
}
