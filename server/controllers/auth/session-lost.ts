// A session that somebody else ended while its request ran.

import { SessionGoneError } from '../../errors.ts'
import type { LiveSession } from '../../sessions/live-session.ts'
import type { FlowInput } from '../flow.ts'

/**
 * Tells the request and its caller why the session ended. The cookie is left alone: the browser may hold that of a
 * newer session by now.
 * @throws SessionGoneError always
 */
export async function sessionLost(
  { services, session }: Pick<FlowInput, 'services' | 'session'>,
  live: LiveSession,
): Promise<never> {
  const found = await services.sessions.reload(live)
  const reason = found?.ended?.reason ?? 'revoked'
  session.drop(reason, { keepCookie: true })
  throw new SessionGoneError(reason)
}
