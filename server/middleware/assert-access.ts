// Who may go on: the questions that guards and routes ask of a request's session. Unknown is never "not signed in".

import { PocketBaseUnavailableError, ProblemError, SessionGoneError } from '../errors.ts'
import type { UserRecord } from '../config.ts'
import { isFresh } from '../sessions/policy.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { Services } from '../services.ts'
import type { RequestSession } from './request-session.ts'

/** What the guards need of the services. */
export type GuardServices = Pick<Services, 'config' | 'events' | 'identity' | 'now'>

export interface SignedIn {
  readonly user: UserRecord
  readonly session: LiveSession
}

/** @throws ProblemError 503 where the store could not be asked */
export function assertKnown(session: RequestSession): void {
  if (session.state !== 'unknown') return
  throw session.error ?? new ProblemError('internal', 'The session could not be read.')
}

/** @throws ProblemError 401 without a session, 503 where nobody can say */
export function assertSignedIn(services: GuardServices, session: RequestSession): SignedIn {
  assertKnown(session)
  if (session.ended !== null) throw new SessionGoneError(session.ended.reason)
  if (session.user === null || session.session === null) throw new ProblemError('unauthenticated', 'Please sign in.')
  assertConfirmed(services, session, session.session)
  return { user: session.user, session: session.session }
}

/**
 * The role is asked of PocketBase now (or as long ago as `roleIntervalMs` allows): one that was taken away opens nothing.
 * @throws ProblemError 401, 403, and 503 where PocketBase cannot be asked
 */
export async function assertRole(
  services: GuardServices,
  session: RequestSession,
  roles: readonly string[],
): Promise<void> {
  assertSignedIn(services, session)
  const { revalidate, pocketbase } = services.config
  const asked = { maxAgeMs: revalidate.roleIntervalMs, waitMs: pocketbase.timeoutMs }
  const result = await services.identity.revalidate(session, asked)
  if (result === 'ended') throw new SessionGoneError(session.ended?.reason)
  if (result === 'stale') throw new PocketBaseUnavailableError(new Error('the role could not be checked'))
  const { user } = assertSignedIn(services, session)
  const has = services.config.roles(user)
  if (roles.some((role) => has.includes(role))) return
  denied(services, session, roles.join(' '))
  throw new ProblemError('forbidden', 'Your account may not do this.')
}

/** @throws ProblemError 401, 403 `reauth_required`, 503 */
export function assertFresh(services: GuardServices, session: RequestSession, maxAgeMs: number): void {
  if (isFresh(assertSignedIn(services, session).session.record, maxAgeMs, services.now())) return
  throw new ProblemError('reauth_required', 'Please enter your password again to do this.')
}

/** @throws ProblemError 401, 403, 503 */
export function assertVerified(services: GuardServices, session: RequestSession): void {
  if (assertSignedIn(services, session).user.verified === true) return
  denied(services, session)
  throw new ProblemError('forbidden', 'Please confirm your e-mail address first.')
}

/** A session that PocketBase could not confirm for too long is neither good nor bad. */
function assertConfirmed(services: GuardServices, session: RequestSession, live: LiveSession): void {
  const { validatedAt } = live.record
  if (!session.stale) return
  if (validatedAt !== null && services.now() - validatedAt <= services.config.revalidate.maxStaleMs) return
  throw new PocketBaseUnavailableError(new Error('the session was not confirmed for too long'))
}

function denied(services: GuardServices, { req, user, client }: RequestSession, role?: string): void {
  const path = `${req.baseUrl}${req.path}`.slice(0, 200)
  const asked = role === undefined ? {} : { role }
  services.events.emit('authz_fail', { path, userId: user?.id ?? null, ip: client.ip, ...asked })
}
