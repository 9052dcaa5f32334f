// Sessions for tests: a policy and drafts with recognisable content.

import type { SessionDraft } from '../../server/sessions/draft.ts'
import type { SessionPolicy } from '../../server/sessions/policy.ts'

export const HOUR = 3_600_000

export const policy: SessionPolicy = {
  idleTimeoutMs: 2 * HOUR,
  absoluteTimeoutMs: 24 * HOUR,
  rememberIdleTimeoutMs: 14 * 24 * HOUR,
  rememberAbsoluteTimeoutMs: 30 * 24 * HOUR,
  touchIntervalMs: 60_000,
  freshForMs: 600_000,
  maxPerUser: 10,
}

export function anonymousDraft(change: Partial<SessionDraft> = {}): SessionDraft {
  return { data: {}, signedIn: null, remembered: false, device: 'Firefox on Linux', ip: '192.0.2.0', ...change }
}

export function signedInDraft(change: Partial<SessionDraft> & { readonly userId?: string } = {}): SessionDraft {
  const { userId = 'user00000000001', ...rest } = change
  const user = { id: userId, collectionId: 'c', collectionName: 'users', email: 'ann@example.com', tags: ['a'] }
  const signedIn = { user, token: 'a.b.c', tokenExpiresAt: Number.MAX_SAFE_INTEGER, collection: 'users', amr: ['pwd'] }
  return anonymousDraft({ signedIn, ...rest })
}
