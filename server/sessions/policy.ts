// How long a session lives: idle and absolute timeout (OWASP), touch, cookie lifetime.

import type { SessionColumns } from './record.ts'

export interface SessionPolicy {
  readonly idleTimeoutMs: number
  readonly absoluteTimeoutMs: number
  readonly rememberIdleTimeoutMs: number
  readonly rememberAbsoluteTimeoutMs: number
  readonly touchIntervalMs: number
  readonly freshForMs: number
  readonly maxPerUser: number
}

type Lifetime = Pick<SessionColumns, 'remembered' | 'cookie' | 'expiresAt' | 'tokenExpiresAt'>

/** Idle timeout of a session. A cookie lifetime that a handler set shortens or lengthens it. */
export function idleTimeoutMs(policy: SessionPolicy, session: Pick<Lifetime, 'remembered' | 'cookie'>): number {
  return session.cookie ?? (session.remembered ? policy.rememberIdleTimeoutMs : policy.idleTimeoutMs)
}

/** Absolute deadline of a session made now. */
export function absoluteDeadline(policy: SessionPolicy, remembered: boolean, now: number): number {
  return now + (remembered ? policy.rememberAbsoluteTimeoutMs : policy.absoluteTimeoutMs)
}

/** Idle deadline of a session used now: never past the absolute one, never later than the PocketBase token allows. */
export function idleDeadline(policy: SessionPolicy, session: Lifetime, now: number): number {
  return Math.min(now + idleTimeoutMs(policy, session), session.expiresAt, session.tokenExpiresAt ?? Infinity)
}

/** Whether a use now has to be noted: at most once a `touchIntervalMs` or a tenth of the idle timeout, whichever is shorter. */
export function isTouchDue(
  policy: SessionPolicy,
  session: Pick<SessionColumns, 'remembered' | 'cookie' | 'lastSeenAt'>,
  now: number,
): boolean {
  return now - session.lastSeenAt >= Math.min(policy.touchIntervalMs, idleTimeoutMs(policy, session) / 10)
}

/** Max-Age of the cookie in milliseconds, `null` for a browser-session cookie. */
export function cookieMaxAgeMs(
  session: Pick<SessionColumns, 'remembered' | 'cookie' | 'expiresAt'>,
  now: number,
): number | null {
  if (session.cookie !== null) return Math.min(session.cookie, session.expiresAt - now)
  return session.remembered ? session.expiresAt - now : null
}

/** Whether the user proved who they are recently enough for a sensitive act. */
export function isFresh(session: Pick<SessionColumns, 'authTime'>, maxAgeMs: number, now: number): boolean {
  return session.authTime !== null && now - session.authTime <= maxAgeMs
}
