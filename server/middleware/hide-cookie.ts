// Takes the session cookie out of a request once it has been read. Whoever has its value has the session, and
// cookie-parser with the same secret would put the bare id into req.signedCookies, from where it gets into logs and templates.

import type { Request } from 'express'

/** Works for a cookie-parser that ran before, and for one that is still to come. */
export function hideCookie(req: Request, name: string): void {
  const { cookie } = req.headers
  if (cookie === undefined || !cookie.includes(name)) return
  const others = cookie.split(';').filter((pair) => pair.split('=', 1)[0]?.trim() !== name)
  if (others.length === 0) delete req.headers.cookie
  else req.headers.cookie = others.join(';').trimStart()
  for (const parsed of [req.cookies, req.signedCookies] as unknown[]) {
    if (typeof parsed === 'object' && parsed !== null) Reflect.deleteProperty(parsed, name)
  }
}
