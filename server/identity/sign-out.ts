// Signing out: the row ends first, the cookie goes after it.

import { ProblemError, SessionGoneError } from '../errors.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { IdentityServices } from './services.ts'

/** Ends the session of this browser. Without one there is nothing to do. */
export async function signOut({ sessions }: IdentityServices, session: RequestSession): Promise<void> {
  if (session.error !== null) throw session.error
  if (session.session === null) return
  const ended = await sessions.end(session.session, 'logout')
  // Where somebody else was faster, the browser may hold the cookie of a newer session by now.
  session.drop('logout', { keepCookie: ended === 0 })
}

/** Ends all sessions of the user, this one too. Answers how many. */
export async function signOutEverywhere({ sessions }: IdentityServices, session: RequestSession): Promise<number> {
  const { userId } = own(session)
  const ended = await sessions.endByUser(userId, 'logout_everywhere')
  session.drop('logout_everywhere')
  return ended
}

/** Ends all other sessions of the user. A sign-in that is under way is refused too. Answers how many. */
export async function revokeOthers({ sessions }: IdentityServices, session: RequestSession): Promise<number> {
  const { userId, live } = own(session)
  return sessions.endByUser(userId, 'revoked', { except: live })
}

function own(session: RequestSession): { readonly userId: string; readonly live: LiveSession } {
  if (session.error !== null) throw session.error
  const live = session.session
  const userId = live?.record.userId ?? null
  if (live !== null && userId !== null) return { userId, live }
  if (session.ended !== null) throw new SessionGoneError(session.ended.reason)
  throw new ProblemError('unauthenticated', 'Please sign in.')
}
