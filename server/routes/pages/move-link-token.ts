// Takes the token of a mail's link out of the address, where history, logs and the Referer header would keep it.

import type { RequestHandler } from 'express'
import { clearLink, putLink } from '../../middleware/link-cookie.ts'
import { seeOther } from '../../middleware/login-redirect.ts'
import type { Services } from '../../services.ts'

const MAX_TOKEN = 2048

/** `?token=…` → 303 to `path` without it; the token goes along in a sealed cookie. Nothing is used up. */
export function moveLinkToken(services: Services, path: string): RequestHandler {
  return (req, res, next) => {
    const token: unknown = req.query['token']
    if (token === undefined) {
      next()
      return
    }
    // Only on the way: with this policy on the page itself, its form would be sent with `Origin: null`.
    res.set('Referrer-Policy', 'no-referrer')
    if (typeof token === 'string' && token !== '' && token.length <= MAX_TOKEN) putLink(services, res, token)
    else clearLink(services, res)
    seeOther(res, path)
  }
}
