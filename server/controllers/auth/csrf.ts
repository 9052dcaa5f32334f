// A CSRF token for scripts.

import { issueCsrfToken } from '../../middleware/csrf-token.ts'
import type { Flow } from '../flow.ts'
import { known } from '../signed-in.ts'

export const csrf: Flow = async ({ services, session }) => {
  known(session)
  return { status: 200, body: { csrfToken: issueCsrfToken(services, session) } }
}
