// The user's own sessions, newest first.

import { listedSession } from '../../sessions/public-session.ts'
import type { Flow } from '../flow.ts'
import { signedIn } from '../signed-in.ts'

export const sessions: Flow = async ({ services, session }) => {
  const { live, user } = signedIn(session)
  const rows = await services.sessions.listByUser(user.id)
  return { status: 200, body: { sessions: rows.map((row) => listedSession(row, live.record.handle)) } }
}
