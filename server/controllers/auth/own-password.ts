// A signed-in user proves their password again, and their session goes on under a new id.

import type { UserRecord } from '../../config.ts'
import { ProblemError } from '../../errors.ts'
import { refuseSuperseded, seenFrom } from '../../identity/sign-in.ts'
import type { Authenticated, Client } from '../../pocketbase/port.ts'
import type { Services } from '../../services.ts'
import type { SessionDraft } from '../../sessions/draft.ts'
import type { LiveSession } from '../../sessions/live-session.ts'
import type { FlowInput } from '../flow.ts'
import { sessionLost } from './session-lost.ts'

type Who = Pick<FlowInput, 'services' | 'session'>

/**
 * Whether `password` is that of `user`, within the budgets for wrong ones.
 * @throws ProblemError `invalid_credentials`, `mfa_required`, `rate_limited`, `pocketbase_unavailable`
 */
export async function confirmOwnPassword(
  { services, session }: Who,
  user: UserRecord,
  password: string,
): Promise<Authenticated> {
  const confirmed = await check(services, { identity: identityOf(user), password }, session.client)
  // An address that another account has by now must not confirm this one.
  if (confirmed.user.id !== user.id) throw wrongPassword()
  return confirmed
}

/**
 * Gives the session of a user who has just proved who they are a new id with all it held; the old one is dead.
 * The caller hands the new one to the request when everything else is done.
 * @throws SessionGoneError where it had ended, or all sessions of the user were ended meanwhile
 */
export async function moveSession(
  { services, session }: Who,
  old: LiveSession,
  { confirmed, epoch }: { readonly confirmed: Authenticated; readonly epoch: number },
): Promise<LiveSession> {
  const live = await services.sessions.replace(old, (current): SessionDraft => {
    const { remembered, cookie, collection, amr } = current.record
    const { user, token, expiresAt: tokenExpiresAt } = confirmed
    const signedIn = { user, token, tokenExpiresAt, collection: collection ?? services.pocketbase.collection, amr }
    return { ...seenFrom(session.client), data: current.data(), remembered, cookie, signedIn }
  })
  if (live === 'gone') return sessionLost({ services, session }, old)
  await refuseSuperseded(services, session, { live, epoch })
  return live
}

/** What the user signs in with: PocketBase shows users their own address. */
export function identityOf(user: UserRecord): string {
  const { email, username } = user
  if (email) return email
  if (typeof username === 'string' && username !== '') return username
  throw new ProblemError('forbidden', 'This account has no password.')
}

async function check(
  { identity }: Services,
  credentials: { readonly identity: string; readonly password: string },
  client: Client,
): Promise<Authenticated> {
  try {
    return await identity.checkPassword(credentials, client)
  } catch (error) {
    throw error instanceof ProblemError && error.code === 'invalid_credentials' ? wrongPassword(error) : error
  }
}

/** The account is known here, so it can only be the password. */
function wrongPassword(cause?: unknown): ProblemError {
  const message = 'The password is not right.'
  return new ProblemError('invalid_credentials', message, { errors: { password: message }, cause })
}
