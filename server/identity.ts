// Joins sessions and PocketBase: sign in, revalidate, sign out.

import { checkPassword, type PasswordCredentials } from './identity/check-password.ts'
import type { Credentials, SignInOptions } from './identity/credentials.ts'
import { Revalidator } from './identity/revalidator.ts'
import type { IdentityServices } from './identity/services.ts'
import { establish, signIn } from './identity/sign-in.ts'
import { revokeOthers, signOut, signOutEverywhere } from './identity/sign-out.ts'
import type { RequestSession } from './middleware/request-session.ts'
import type { Authenticated, Client } from './pocketbase/port.ts'
import type { LiveSession } from './sessions/live-session.ts'

export type { Credentials, SignInOptions } from './identity/credentials.ts'
export type { IdentityServices } from './identity/services.ts'

export class Identity {
  readonly #services: IdentityServices
  readonly #revalidator: Revalidator

  constructor(services: IdentityServices) {
    this.#services = services
    this.#revalidator = new Revalidator(services)
  }

  /**
   * Checks the credentials and signs this browser in: new id, row written, oldest sessions beyond the limit ended,
   * then the cookie. A session that the browser had ends in the same step.
   * @throws ProblemError `invalid_credentials`, `mfa_required`, `rate_limited`, `session_expired` (all sessions were
   * ended meanwhile), `store_unavailable`, `pocketbase_unavailable`
   */
  signIn(session: RequestSession, credentials: Credentials, options: SignInOptions = {}): Promise<LiveSession> {
    return signIn(this.#services, session, { credentials, options })
  }

  /** Writes the row of a sign-in that PocketBase has already confirmed. `epoch` was read before PocketBase was asked. */
  establish(
    session: RequestSession,
    who: Authenticated,
    options: SignInOptions & { readonly epoch: number },
  ): Promise<LiveSession> {
    return establish(this.#services, session, { ...options, who })
  }

  /**
   * Checks a password within the budgets for wrong ones, and changes nothing.
   * @throws ProblemError as `signIn`
   */
  checkPassword(credentials: PasswordCredentials, client: Client): Promise<Authenticated> {
    return checkPassword(this.#services, credentials, client)
  }

  /** Ends the session of this browser. Without one there is nothing to do. */
  signOut(session: RequestSession): Promise<void> {
    return signOut(this.#services, session)
  }

  /** Ends all sessions of the user, this one too. Answers how many. */
  signOutEverywhere(session: RequestSession): Promise<number> {
    return signOutEverywhere(this.#services, session)
  }

  /** Ends all other sessions of the user. Answers how many. */
  revokeOthers(session: RequestSession): Promise<number> {
    return revokeOthers(this.#services, session)
  }

  /**
   * Joins a check of the session in flight, or makes one when the last is older than `maxAgeMs`. Waits `waitMs` at most,
   * then answers `stale` while the check goes on; with 0 it only starts one. An outage never ends a session.
   */
  revalidate(
    session: RequestSession,
    options: { readonly maxAgeMs: number; readonly waitMs: number },
  ): Promise<'valid' | 'stale' | 'ended'> {
    return this.#revalidator.revalidate(session, options)
  }
}
