// Limits on flows that cost something or send mail. Counted in the session store, so all nodes share them.

import { countedAddress } from '../lib/coarse-address.ts'
import { derivedKeys } from '../lib/derived-keys.ts'
import { mac } from '../lib/keyed-mac.ts'
import { RateLimitedError, type Budget } from '../sessions/limiter.ts'
import type { Services } from '../services.ts'
import type { RequestSession } from './request-session.ts'

export type LimitServices = Pick<Services, 'config' | 'events' | 'limiter'>

/** How often one address may use a flow. */
export interface AddressLimit {
  /** For events and the counter's name: `register`. */
  readonly kind: string
  readonly max: number
  readonly windowMs: number
}

const MAIL_MAX = 5
const MAIL_WINDOW_MS = 60 * 60_000

/** Counts one use by this address. @throws RateLimitedError 429 beyond the limit */
export async function assertWithinLimit(
  services: LimitServices,
  session: RequestSession,
  { kind, max, windowMs }: AddressLimit,
): Promise<void> {
  const address = countedAddress(session.client.ip) || 'unknown'
  try {
    await services.limiter.spend({ name: `flow:${kind}:${address}`, kind, limit: max, windowMs })
  } catch (error) {
    if (error instanceof RateLimitedError)
      services.events.emit('excess_rate_limit_exceeded', { limit: kind, ip: session.client.ip })
    throw error
  }
}

/**
 * Counts one mail to this recipient, whatever it is about. Answers whether it may still be sent: the caller answers
 * the same either way, so that nobody learns who has been written to.
 */
export async function mayMail(services: LimitServices, session: RequestSession, email: string): Promise<boolean> {
  const recipient = mac(derivedKeys(services.config.secrets, 'mail-limit')[0], canonical(email)).toString('base64url')
  const budget: Budget = { name: `mail:${recipient}`, kind: 'mail', limit: MAIL_MAX, windowMs: MAIL_WINDOW_MS }
  const isWithin = await services.limiter.take(budget)
  if (!isWithin) services.events.emit('excess_rate_limit_exceeded', { limit: 'mail', ip: session.client.ip })
  return isWithin
}

/** PocketBase ignores the case of an address, so other spellings must not open new budgets. */
function canonical(email: string): string {
  return email.normalize('NFKC').trim().toLowerCase()
}
