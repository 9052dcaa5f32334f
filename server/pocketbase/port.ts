// The port to PocketBase: what the flows may ask, and the kinds of answer.
// Every method throws PocketBaseUnavailableError where PocketBase could not be asked or answered in a way that
// is not its own (another 401 or 403 than its JSON error is an outage), and RateLimitedError on its 429.

import type { UserRecord } from '../config.ts'
import type { FieldErrors } from '../errors.ts'

/** Who asks: sent as X-Real-IP and User-Agent on every call. */
export interface Client {
  readonly ip: string
  readonly userAgent: string
}

/** A PocketBase auth token and the user it speaks for. `expiresAt` is the token's `exp` in epoch milliseconds. */
export interface Authenticated {
  readonly token: string
  readonly user: UserRecord
  readonly expiresAt: number
}

export type PasswordResult =
  | ({ readonly kind: 'ok' } & Authenticated)
  /** Unknown user or wrong password: PocketBase does not say which. */
  | { readonly kind: 'wrong' }
  /** The password is right, the collection's authRule says no. */
  | { readonly kind: 'not_allowed' }
  | { readonly kind: 'mfa' }

export type RefreshResult =
  | ({ readonly kind: 'ok' } & Authenticated)
  /** A definite 401 about this token. */
  | { readonly kind: 'rejected' }
  /** A definite 403: authRule. */
  | { readonly kind: 'not_allowed' }

export type WriteResult<T = undefined> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'invalid'; readonly errors: FieldErrors }
  /** The token (of the session, or of a mail link) was refused. */
  | { readonly kind: 'rejected' }

export interface PasswordInput {
  readonly identity: string
  readonly password: string
  /**
   * The check follows a change that has been made (a registration, a new password) and is not turned away any more: it is
   * the next to get a place.
   */
  readonly isNext?: boolean
}

export interface Registration {
  readonly email: string
  readonly password: string
  /** Without it the profile gets a name made from the address. */
  readonly profile?: Readonly<Record<string, unknown>> | undefined
}

/** What our hook reports, `null` fields on a PocketBase without our hooks. */
export interface Report {
  readonly hooks: boolean
  readonly version: string | null
  /** Life of an auth token in milliseconds. */
  readonly tokenLifeMs: number | null
  /** The address PocketBase saw for this call. */
  readonly seenIp: string | null
  readonly profiles: boolean
  readonly roles: boolean
}

export interface PocketBasePort {
  readonly url: string
  readonly collection: string
  /** A missing profile is made afterwards. At most `concurrentLogins` at a time. Refuses nothing by itself; an expected wait over 20 s throws PocketBaseUnavailableError. */
  authWithPassword(input: PasswordInput, client: Client): Promise<PasswordResult>
  authRefresh(token: string, client: Client): Promise<RefreshResult>
  /** User and profile in one transaction (our hook). Errors of the profile stand under `profile.<field>`. Counts as a password check. */
  register(input: Registration, client: Client): Promise<WriteResult<UserRecord>>
  requestPasswordReset(email: string, client: Client): Promise<void>
  confirmPasswordReset(
    input: { readonly token: string; readonly password: string },
    client: Client,
  ): Promise<WriteResult>
  requestVerification(email: string, client: Client): Promise<void>
  confirmVerification(token: string, client: Client): Promise<WriteResult>
  /** Kills all of the user's tokens, this one too. A wrong current password is `invalid` with field `currentPassword`. */
  changePassword(
    input: {
      readonly token: string
      readonly userId: string
      readonly currentPassword: string
      readonly password: string
    },
    client: Client,
  ): Promise<WriteResult>
  /** New token key and a fresh token for the caller (our hook); `unsupported` without it. */
  rotateTokens(token: string, client: Client): Promise<RefreshResult | { readonly kind: 'unsupported' }>
  /** The user's profile, `null` where there is none. */
  getProfile(
    input: { readonly token: string; readonly userId: string },
    client: Client,
  ): Promise<WriteResult<Readonly<Record<string, unknown>> | null>>
  /** Sets the given fields; creates the profile where it is missing and may be created. */
  setProfile(
    input: { readonly token: string; readonly userId: string; readonly fields: Readonly<Record<string, unknown>> },
    client: Client,
  ): Promise<WriteResult<Readonly<Record<string, unknown>>>>
  /** Users whose e-mail contains `query`, at most 20, as the caller may see them. */
  findUsers(
    input: { readonly token: string; readonly query: string },
    client: Client,
  ): Promise<WriteResult<readonly UserRecord[]>>
  getUser(
    input: { readonly token: string; readonly userId: string },
    client: Client,
  ): Promise<WriteResult<UserRecord | null>>
  report(): Promise<Report>
}
