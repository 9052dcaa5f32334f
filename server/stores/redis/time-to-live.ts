// How long Redis itself keeps keys. It goes by a clock of its own, and only cleans up after a server that no longer sweeps.

import type { SessionRecord } from '../../sessions/record.ts'
import { EPOCH_KEPT_MS } from '../lifetime.ts'

const KEPT_LONGER_MS = 2 * EPOCH_KEPT_MS
/** The same for claims and counters, of which there may be many. */
const SHORT_LIVED_KEPT_MS = 60_000

/** Rows stay past their absolute deadline. */
export function rowToLive({ createdAt, expiresAt }: SessionRecord): number {
  return Math.max(0, expiresAt - createdAt) + KEPT_LONGER_MS
}

/** Past the day that they are needed. */
export const EPOCH_TO_LIVE_MS = KEPT_LONGER_MS

export function claimToLive(until: number, now: number): number {
  return Math.max(0, until - now) + SHORT_LIVED_KEPT_MS
}

export function counterToLive(windowMs: number): number {
  return windowMs + SHORT_LIVED_KEPT_MS
}
