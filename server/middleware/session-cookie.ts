// The session cookie on its way to the browser. Nothing else in the product writes a Set-Cookie of this name.

import type { Request, Response } from 'express'
import type { LiveSession } from '../sessions/live-session.ts'
import { cookieMaxAgeMs } from '../sessions/policy.ts'
import type { Services } from '../services.ts'

const EXPIRED = 'Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

export class SessionCookie {
  readonly #services: Pick<Services, 'config' | 'sessions' | 'now'>
  readonly #name: string
  /** The same for setting and for clearing: browsers take another set of attributes for another cookie. */
  readonly #attributes: string

  constructor(services: Pick<Services, 'config' | 'sessions' | 'now'>) {
    const { name, secure, sameSite } = services.config.cookie
    this.#services = services
    this.#name = name
    this.#attributes = `HttpOnly; ${secure ? 'Secure; ' : ''}SameSite=${sameSite === 'strict' ? 'Strict' : 'Lax'}`
  }

  /** Sends the cookie of a session. Without Max-Age unless the user asked to be remembered or a handler set a lifetime. */
  put(res: Response, session: LiveSession): void {
    const maxAgeMs = cookieMaxAgeMs(session.record, this.#services.now())
    const lifetime = maxAgeMs === null ? '' : `; Max-Age=${Math.max(0, Math.floor(maxAgeMs / 1000))}`
    this.#write(res, `${this.#services.sessions.cookieValue(session.id)}; Path=/${lifetime}`)
  }

  clear(res: Response): void {
    this.#write(res, `; Path=/; ${EXPIRED}`)
  }

  /**
   * Clears the name wherever it may stand: at `/` and at the path of the request and all paths above it. For development,
   * where the cookie's name has no `__Host-` prefix and another server on this machine may have set it with a path.
   */
  clearEverywhere(req: Request, res: Response): void {
    for (const path of pathsAbove(req.originalUrl)) {
      res.append('Set-Cookie', `${this.#name}=; Path=${path}; ${EXPIRED}; ${this.#attributes}`)
    }
    this.clear(res)
  }

  /** One line of our name for `/`, whoever wrote one before. */
  #write(res: Response, valueAndPath: string): void {
    const lines = res.getHeader('Set-Cookie') ?? []
    const others = (Array.isArray(lines) ? lines : [String(lines)]).filter((line) => !this.#isOurs(line))
    // In front of those that clear a cookie: curl forgets a deletion when another cookie comes after it.
    res.setHeader('Set-Cookie', [`${this.#name}=${valueAndPath}; ${this.#attributes}`, ...others])
  }

  #isOurs(line: string): boolean {
    return line.startsWith(`${this.#name}=`) && /; Path=\/(?:;|$)/i.test(line)
  }
}

/** `/a`, `/a/`, `/a/b`, `/a/b/` for `/a/b?c`. At most eight levels: the caller chooses the path. */
function pathsAbove(url: string): readonly string[] {
  const parts = (url.split(/[?#]/, 1)[0] ?? '').split('/').filter((part) => /^[\w.~%-]+$/.test(part))
  return parts.slice(0, 8).flatMap((_, index) => {
    const path = `/${parts.slice(0, index + 1).join('/')}`
    return [path, `${path}/`]
  })
}
