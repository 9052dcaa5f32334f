// Ends one session of the user by its public handle.

import { ProblemError } from '../../errors.ts'
import type { Flow } from '../flow.ts'
import { assertFresh, signedIn } from '../signed-in.ts'

export const sessionRevoke: Flow = async ({ services, session, params }) => {
  const who = signedIn(session)
  const handle = params['id'] ?? ''
  if (handle === who.live.record.handle) {
    await services.identity.signOut(session)
    return { status: 204, clearSiteData: true, notice: 'signed_out' }
  }
  assertFresh(services, who)
  // Somebody else's session and none at all get one answer: handles must not be probed.
  const ended = await services.sessions.endByHandle(who.user.id, handle, 'revoked')
  if (ended === 0) throw new ProblemError('not_found', 'There is no such session.')
  return { status: 204, notice: 'session_revoked' }
}
