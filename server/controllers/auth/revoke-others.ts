// Ends all other sessions of the user. A stolen session must not throw its owner out, so the password must be fresh.

import type { Flow } from '../flow.ts'
import { assertFresh, signedIn } from '../signed-in.ts'

export const revokeOthers: Flow = async ({ services, session }) => {
  assertFresh(services, signedIn(session))
  const ended = await services.identity.revokeOthers(session)
  return { status: 200, body: { ended }, notice: 'others_revoked' }
}
