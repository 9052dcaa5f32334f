// Is this browser signed in, and if not, why not? Never an error but where the store could not be asked.

import { issueCsrfToken } from '../../middleware/csrf-token.ts'
import { publicSession } from '../../sessions/public-session.ts'
import type { Flow } from '../flow.ts'
import { known } from '../signed-in.ts'

export const status: Flow = async ({ services, session }) => {
  known(session)
  const csrfToken = issueCsrfToken(services, session)
  const { session: live, user } = session
  if (live === null || user === null) {
    return { status: 200, body: { authenticated: false, reason: session.ended?.reason ?? null, csrfToken } }
  }
  return { status: 200, body: { authenticated: true, user, session: publicSession(live.record), csrfToken } }
}
