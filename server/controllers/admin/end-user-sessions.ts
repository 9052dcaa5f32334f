// An administrator ends all sessions of a user. The route lets only the role `admin` in, checked with PocketBase.

import type { Flow } from '../flow.ts'
import { signedIn } from '../signed-in.ts'

export const endUserSessions: Flow = async ({ services, session, params }) => {
  const { user: admin } = signedIn(session)
  const userId = params['id'] ?? ''
  const ended = await services.sessions.endByUser(userId, 'admin_revoked')
  if (userId === admin.id) session.drop('admin_revoked')
  const about = { userId: admin.id, ip: session.client.ip }
  services.events.emit('authz_admin', { ...about, action: 'end_user_sessions', target: userId })
  return { status: 200, body: { ended }, notice: 'user_sessions_revoked' }
}
