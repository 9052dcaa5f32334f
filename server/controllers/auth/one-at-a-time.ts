// Work that must not run twice at once for the same user, on whichever node.

import { RateLimitedError } from '../../sessions/limiter.ts'
import type { Services } from '../../services.ts'

type ClaimServices = Pick<Services, 'sessions' | 'logger'>

/** Longer than the work can take; after a crash it can be tried again that much later. */
const CLAIM_MS = 60_000
const RETRY_MS = 2000

/**
 * Runs `work` unless other work of the same name is under way.
 * @throws RateLimitedError where it is
 */
export async function oneAtATime<T>(services: ClaimServices, name: string, work: () => Promise<T>): Promise<T> {
  const { sessions } = services
  const claim = `one-at-a-time:${name}`
  if (!(await sessions.claim(claim, CLAIM_MS))) throw new RateLimitedError('one_at_a_time', RETRY_MS)
  try {
    return await work()
  } finally {
    await release(services, claim)
  }
}

/** What the work has done is done, whether or not its claim can be given back; it runs out by itself. */
async function release({ sessions, logger }: ClaimServices, claim: string): Promise<void> {
  try {
    await sessions.release(claim)
  } catch (error) {
    logger.warn({ err: error }, 'a claim could not be released')
  }
}
