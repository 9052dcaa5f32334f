// Follows PocketBase: is this session's user still who they were? A definite no ends what it speaks of; an outage ends nothing.

import { PocketBaseUnavailableError, ProblemError } from '../errors.ts'
import { afterAtMost } from '../lib/after-at-most.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import type { Authenticated, Client } from '../pocketbase/port.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { EndReason } from '../sessions/reasons.ts'
import { Outage } from './outage.ts'
import type { IdentityServices } from './services.ts'

/** How often a token that was renewed by another request meanwhile is asked for again. */
const MAX_ASKS = 3

type Verdict =
  /** `checked` is the session as this check has written it. */
  | { readonly kind: 'valid'; readonly checked: LiveSession }
  /** `found`: it had ended already, by somebody else. */
  | { readonly kind: 'ended'; readonly reason: EndReason; readonly found: boolean }
  | { readonly kind: 'unreachable' }

export class Revalidator {
  readonly #services: IdentityServices
  readonly #outage: Outage
  readonly #inFlight = new Map<string, Promise<Verdict>>()

  constructor(services: IdentityServices) {
    this.#services = services
    this.#outage = new Outage(services.now)
  }

  /**
   * Joins a check in flight, or makes one when the last is older than `maxAgeMs`. Waits `waitMs` at most, then answers
   * `stale` while the check goes on; with 0 it only starts one and leaves the request as it is.
   */
  async revalidate(
    session: RequestSession,
    { maxAgeMs, waitMs }: { readonly maxAgeMs: number; readonly waitMs: number },
  ): Promise<'valid' | 'stale' | 'ended'> {
    const live = session.session
    if (live === null || live.record.userId === null) return 'valid'
    if (this.#services.now() - (live.record.validatedAt ?? 0) < maxAgeMs) return 'valid'
    const check = this.#join(live, session.client)
    if (waitMs === 0) {
      void check.catch((error: unknown) => this.#services.logger.warn({ err: error }, 'background revalidation failed'))
      return 'stale'
    }
    return settle(session, live, await afterAtMost(check, waitMs))
  }

  /** Single-flight: whoever comes while a check of this session runs gets its outcome. */
  #join(live: LiveSession, client: Client): Promise<Verdict> {
    const { key } = live.record
    const running = this.#inFlight.get(key)
    if (running !== undefined) return running
    const check = this.#check(live, client).finally(() => this.#inFlight.delete(key))
    this.#inFlight.set(key, check)
    return check
  }

  async #check(live: LiveSession, client: Client): Promise<Verdict> {
    if (!this.#outage.mayAsk()) return { kind: 'unreachable' }
    try {
      return await this.#ask(live, client, MAX_ASKS)
    } catch (error) {
      if (!isUnreachable(error)) {
        this.#outage.answered()
        throw error
      }
      if (this.#outage.failed()) this.#services.events.emit('pocketbase_unavailable', { call: 'authRefresh' })
      return { kind: 'unreachable' }
    }
  }

  async #ask(live: LiveSession, client: Client, asksLeft: number): Promise<Verdict> {
    const { pocketbase, sessions } = this.#services
    const { userId } = live.record
    const token = live.token()
    const result = token === null ? { kind: 'rejected' as const } : await pocketbase.authRefresh(token, client)
    this.#outage.answered()
    if (result.kind === 'ok' && result.user.id === userId) return this.#renew(live, result)
    if (result.kind === 'not_allowed' && userId !== null) {
      await sessions.endByUser(userId, 'account_disabled')
      return { kind: 'ended', reason: 'account_disabled', found: false }
    }
    // A 401 speaks of the token that was sent, and another request may have stored a newer one since.
    const found = await sessions.reload(live)
    if (found?.live === undefined)
      return { kind: 'ended', reason: found?.ended.reason ?? 'token_rejected', found: true }
    if (found.live.token() !== token && asksLeft > 1) return this.#ask(found.live, client, asksLeft - 1)
    await sessions.end(found.live, 'token_rejected')
    return { kind: 'ended', reason: 'token_rejected', found: false }
  }

  async #renew(live: LiveSession, { token, user, expiresAt }: Authenticated): Promise<Verdict> {
    const { sessions, now } = this.#services
    const columns = { validatedAt: now(), tokenExpiresAt: expiresAt }
    const result = await sessions.update(live, { set: { token, user }, columns })
    if (result === 'ok') return { kind: 'valid', checked: live }
    const found = await sessions.reload(live)
    return { kind: 'ended', reason: found?.ended?.reason ?? 'rotated', found: true }
  }
}

/** Tells the request what became of its session. `undefined`: the check still runs. */
function settle(session: RequestSession, live: LiveSession, verdict: Verdict | undefined): 'valid' | 'stale' | 'ended' {
  if (verdict === undefined || verdict.kind === 'unreachable') {
    session.setStale(true)
    return 'stale'
  }
  if (verdict.kind === 'ended') {
    session.drop(verdict.reason, { keepCookie: verdict.found })
    return 'ended'
  }
  if (verdict.checked !== live) takeOver(live, verdict.checked)
  session.setStale(false)
  return 'valid'
}

/**
 * Gives a request that joined another one's check the user and token of its outcome. It keeps its own version number:
 * the other one's may cover changes that it has not seen.
 */
function takeOver(live: LiveSession, { record }: LiveSession): void {
  const set = new Map([...record.fields].filter(([name]) => name === 'token' || name === 'user'))
  const { validatedAt, tokenExpiresAt } = record
  live.wrote({ set, columns: { validatedAt, tokenExpiresAt }, version: live.record.version })
}

function isUnreachable(error: unknown): boolean {
  return error instanceof PocketBaseUnavailableError || (error instanceof ProblemError && error.code === 'rate_limited')
}
