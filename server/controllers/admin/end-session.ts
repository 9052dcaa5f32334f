// An administrator ends one session of a user. The route lets only the role `admin` in, checked with PocketBase.

import { ProblemError } from '../../errors.ts'
import type { Flow } from '../flow.ts'
import { signedIn } from '../signed-in.ts'

export const endSession: Flow = async ({ services, session, params }) => {
  const { user: admin, live } = signedIn(session)
  const userId = params['id'] ?? ''
  const handle = params['session'] ?? ''
  const ended = await services.sessions.endByHandle(userId, handle, 'admin_revoked')
  if (ended === 0) throw new ProblemError('not_found', 'There is no such session.')
  if (handle === live.record.handle) session.drop('admin_revoked')
  const about = { userId: admin.id, ip: session.client.ip }
  services.events.emit('authz_admin', { ...about, action: 'end_session', target: handle })
  return { status: 204, notice: 'session_revoked' }
}
