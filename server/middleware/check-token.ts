// Second CSRF check: a token that only a page of ours can have read. Judged without the store.

import { ProblemError } from '../errors.ts'
import { mediaKind } from '../lib/media-kind.ts'
import { readForm } from './body.ts'
import { carriesOurCookie } from './check-origin.ts'
import { isCsrfToken, type CsrfBinding } from './csrf-token.ts'
import { readPreCookie, type PreCookieContext } from './pre-cookie.ts'
import type { RequestSession } from './request-session.ts'

/** `always`, or only of a request that carries a session or pre-login cookie. */
export type TokenDemand = 'always' | 'with-cookie'

/** Answers `null` where nothing is wrong. @throws ProblemError for a form that cannot be read. */
export async function checkToken(
  services: PreCookieContext,
  session: RequestSession,
  demand: TokenDemand,
): Promise<ProblemError | null> {
  if (demand === 'with-cookie' && !carriesOurCookie(services, session)) return null
  const token = await sentToken(session)
  const bindings = bindingsOf(services, session)
  if (token !== null && bindings.some((binding) => isCsrfToken(services.config, binding, token))) return null
  return new ProblemError(
    'csrf_failed',
    'This form is out of date, or the X-CSRF-Token header is missing or not the one from /auth/csrf. Please try again.',
  )
}

/** The header, or `_csrf` of an urlencoded form. A body of any other type says nothing, however it was parsed. */
async function sentToken({ req, res }: RequestSession): Promise<string | null> {
  const header = req.headers['x-csrf-token']
  if (header !== undefined) return typeof header === 'string' ? header : null
  if (mediaKind(req.headers['content-type']) !== 'form') return null
  const form = await readForm(req, res)
  const field = form['_csrf']
  return typeof field === 'string' ? field : null
}

/** The cookies whose tokens count. */
function bindingsOf(services: PreCookieContext, session: RequestSession): readonly CsrfBinding[] {
  const own: CsrfBinding[] = session.cookieId === null ? [] : [{ cookie: 'session', id: session.cookieId }]
  // With somebody signed in, or where that is not known, only the session's own token counts.
  if (own.length > 0 && (session.user !== null || session.state === 'unknown')) return own
  // An ended session must reach the guard, which tells why; and a visitor may have got a row (a flash message)
  // in the answer that brought the form.
  const pre = readPreCookie(services, session.req)
  return pre.state === 'valid' ? [...own, { cookie: 'pre', id: pre.id }] : own
}
