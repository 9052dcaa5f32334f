// Sends a page visitor who is not signed in to the login page, and from there back.

import type { Request, Response } from 'express'
import type { Config } from '../config.ts'
import { ProblemError } from '../errors.ts'
import { loginPath } from './return-target.ts'
import { noStore } from './send-json.ts'

interface Exchange {
  readonly req: Request
  readonly res: Response
}

/**
 * Answers an error that says "not signed in" with the way to the login page; `returnTo` is the page to come back to,
 * by default the one that was asked for. Answers whether it did: other errors are left to the caller.
 */
export function redirectToLogin(
  config: Pick<Config, 'origin' | 'paths'>,
  { req, res, returnTo }: Exchange & { readonly returnTo?: string },
  error: unknown,
): boolean {
  const isSignedOut =
    error instanceof ProblemError && (error.code === 'unauthenticated' || error.code === 'session_expired')
  if (!isSignedOut || res.headersSent) return false
  // What was sent by a form cannot be asked for again.
  const asked = req.method === 'GET' || req.method === 'HEAD' ? req.originalUrl : undefined
  seeOther(res, loginPath(config, returnTo ?? asked))
  return true
}

/** 303: the next request is a GET, whatever this one was (RFC 9110, 15.4.4). */
export function seeOther(res: Response, location: string): void {
  noStore(res)
  res.status(303).location(location).end()
}
