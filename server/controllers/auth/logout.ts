// Signing out. Also fine without a session; not where the store cannot be asked, since the session would live on.

import type { Flow } from '../flow.ts'

export const logout: Flow = async ({ services, session }) => {
  await services.identity.signOut(session)
  return { status: 204, clearSiteData: true, notice: 'signed_out' }
}
