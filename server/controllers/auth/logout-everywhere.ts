// Signing out on all devices, this one too.

import type { Flow } from '../flow.ts'
import { signedIn } from '../signed-in.ts'

export const logoutEverywhere: Flow = async ({ services, session }) => {
  signedIn(session)
  const ended = await services.identity.signOutEverywhere(session)
  return { status: 200, body: { ended }, clearSiteData: true, notice: 'signed_out_everywhere' }
}
