// Joins sessions and PocketBase: sign in, revalidate, sign out. (Signatures fixed; bodies to be written.)
import type { RequestSession } from './middleware/request-session.ts'
import type { Authenticated } from './pocketbase/port.ts'
import type { LiveSession } from './sessions/live-session.ts'

export type Credentials =
  | { readonly identity: string; readonly password: string }
  /** A token that the app got from PocketBase by itself; checked by auth-refresh before it is used. */
  | { readonly token: string }

export interface SignInOptions {
  readonly remember?: boolean
  /** RFC 8176. Default `['pwd']`. */
  readonly amr?: readonly string[]
}

export interface Identity {
  /** @throws ProblemError invalid_credentials, mfa_required, rate_limited, store_unavailable, pocketbase_unavailable */
  signIn(session: RequestSession, credentials: Credentials, options?: SignInOptions): Promise<LiveSession>
  /** Writes the row of a sign-in that PocketBase has already confirmed. `epoch` was read before PocketBase was asked. */
  establish(
    session: RequestSession,
    who: Authenticated,
    options: SignInOptions & { readonly epoch: number },
  ): Promise<LiveSession>
  signOut(session: RequestSession): Promise<void>
  /** Ends all sessions of the user, this one too. Answers how many. */
  signOutEverywhere(session: RequestSession): Promise<number>
  /** Ends all other sessions of the user. Answers how many. */
  revokeOthers(session: RequestSession): Promise<number>
  /** Joins a check in flight, or makes one when the last is older than `maxAgeMs`. Waits `waitMs` at most (then `stale`, the check goes on). */
  revalidate(
    session: RequestSession,
    options: { readonly maxAgeMs: number; readonly waitMs: number },
  ): Promise<'valid' | 'stale' | 'ended'>
}
