// When a row counts as live, and how it ended where time ended it. The same for every store.

import type { EndedSession, SessionRecord } from '../sessions/record.ts'

type Lifetime = Pick<SessionRecord, 'userId' | 'idleExpiresAt' | 'expiresAt'>

/** How long a store remembers at least that all sessions of a user were ended. */
export const EPOCH_KEPT_MS = 24 * 60 * 60 * 1000

/** How time ended this row: by whichever timeout came first. `undefined` while there is time left. */
export function timedOut(row: Lifetime, now: number): EndedSession | undefined {
  if (row.idleExpiresAt > now && row.expiresAt > now) return undefined
  const isIdle = row.idleExpiresAt < row.expiresAt
  return {
    reason: isIdle ? 'idle_timeout' : 'absolute_timeout',
    endedAt: isIdle ? row.idleExpiresAt : row.expiresAt,
    userId: row.userId,
  }
}
