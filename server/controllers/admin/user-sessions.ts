// An administrator looks at the sessions of a user. The route lets only the role `admin` in, checked with PocketBase.

import { ProblemError } from '../../errors.ts'
import { listedSession } from '../../sessions/public-session.ts'
import { askAsUser } from '../auth/ask-as-user.ts'
import type { Flow } from '../flow.ts'
import { adminUser } from './admin-user.ts'

export const userSessions: Flow = async (input) => {
  const { services, session, params } = input
  const userId = params['id'] ?? ''
  const user = await askAsUser(input, ({ token }) => services.pocketbase.getUser({ token, userId }, session.client))
  if (user === null) throw new ProblemError('not_found', 'There is no such user.')
  const rows = await services.sessions.listByUser(user.id)
  const sessions = rows.map((row) => listedSession(row, session.session?.record.handle))
  return { status: 200, body: { user: adminUser(services.config, user), sessions } }
}
