// A PocketBase whose answers a test decides, one by one: for outages and races that a real one shows only by chance.
// Everything else is tested against a real PocketBase.

import type { UserRecord } from '../../server/config.ts'
import type { Authenticated, PocketBasePort } from '../../server/pocketbase/port.ts'

const HOUR = 3_600_000

/** A port that answers the given calls and fails the test on any other. */
export function scriptedPocketBase(calls: Partial<PocketBasePort>): PocketBasePort {
  const unexpected = (name: string) => (): Promise<never> => Promise.reject(new Error(`unexpected call: ${name}`))
  return {
    url: 'http://pocketbase.invalid',
    collection: 'users',
    authWithPassword: unexpected('authWithPassword'),
    authRefresh: unexpected('authRefresh'),
    register: unexpected('register'),
    requestPasswordReset: unexpected('requestPasswordReset'),
    confirmPasswordReset: unexpected('confirmPasswordReset'),
    requestVerification: unexpected('requestVerification'),
    confirmVerification: unexpected('confirmVerification'),
    changePassword: unexpected('changePassword'),
    rotateTokens: unexpected('rotateTokens'),
    getProfile: unexpected('getProfile'),
    setProfile: unexpected('setProfile'),
    findUsers: unexpected('findUsers'),
    getUser: unexpected('getUser'),
    report: unexpected('report'),
    ...calls,
  }
}

export function userRecord(change: Partial<UserRecord> = {}): UserRecord {
  return { id: 'user00000000001', collectionId: 'c', collectionName: 'users', email: 'ann@example.com', ...change }
}

/** What PocketBase answers to a sign-in or a refresh. */
export function authenticated(
  token: string,
  change: Partial<UserRecord> = {},
): { readonly kind: 'ok' } & Authenticated {
  return { kind: 'ok', token, user: userRecord(change), expiresAt: 1_700_000_000_000 + 1000 * HOUR }
}
