// `req.auth`: what a handler may know of who is signed in.

import type PocketBase from 'pocketbase'
import type { AuthContext } from '../express-types.ts'
import { createSdk } from '../pocketbase/sdk.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { UserRecord } from '../config.ts'
import type { RequestContext } from './request-context.ts'

/** `null` without a signed-in user. */
export function authContext(context: RequestContext): AuthContext | null {
  const { user, session, stale } = context
  if (user === null || session === null) return null
  return Object.freeze({ user, stale, session: authSession(session), pocketbase: () => sdkOf(context, session, user) })
}

function authSession({ record }: LiveSession): AuthContext['session'] {
  const { handle: id, createdAt, expiresAt, idleExpiresAt, authTime, amr } = record
  return Object.freeze({ id, createdAt, expiresAt, idleExpiresAt, authTime: authTime ?? createdAt, amr })
}

/** A client of its own for each call: two users must never share one, and none outlives its request's token. */
function sdkOf({ kit, client }: RequestContext, session: LiveSession, user: UserRecord): PocketBase {
  const { url, timeoutMs } = kit.services.config.pocketbase
  const token = session.token()
  const sdk = createSdk({ url, timeoutMs, client, ...(token === null ? {} : { token }) })
  if (token !== null) sdk.authStore.save(token, { ...user })
  return sdk
}
