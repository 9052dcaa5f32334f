// Who is asking: what a flow needs to know before it does anything.

import type { UserRecord } from '../config.ts'
import { ProblemError, SessionGoneError } from '../errors.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import { isFresh } from '../sessions/policy.ts'
import type { Services } from '../services.ts'

export interface SignedIn {
  readonly live: LiveSession
  readonly user: UserRecord
}

/** Unknown is not anonymous. @throws StoreUnavailableError where the store could not be asked */
export function known(session: RequestSession): void {
  if (session.error !== null) throw session.error
}

/** The signed-in user. @throws ProblemError `unauthenticated`, `session_expired` with the reason, `store_unavailable` */
export function signedIn(session: RequestSession): SignedIn {
  known(session)
  const { session: live, user, ended } = session
  if (live !== null && user !== null) return { live, user }
  if (ended !== null) throw new SessionGoneError(ended.reason)
  throw new ProblemError('unauthenticated', 'Please sign in.')
}

/** @throws ProblemError `reauth_required` where the user has not proved lately who they are */
export function assertFresh({ sessions, now }: Services, { live }: SignedIn): void {
  if (isFresh(live.record, sessions.policy.freshForMs, now())) return
  throw new ProblemError('reauth_required', 'Please enter your password again to do this.')
}
