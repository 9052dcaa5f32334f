// Takes PocketBase's answer to a login or refresh apart, and refuses what is not a user of our collection.

import { PocketBaseUnavailableError } from '../errors.ts'
import type { UserRecord } from '../config.ts'
import type { Authenticated } from './port.ts'
import { readTokenClaims } from './token-claims.ts'

/** PocketBase's collection of administrators. Its id is the same everywhere. */
const SUPERUSERS = { name: '_superusers', id: 'pbc_3142635823' }

/** Whether `token` could be a sign-in of an ordinary user; whatever else it is must not even be sent. */
export function mayBeUserToken(token: string): boolean {
  const claims = readTokenClaims(token)
  return claims !== null && claims.type === 'auth' && claims.collectionId !== SUPERUSERS.id
}

/**
 * The user and token of `{ token, record }`.
 * @throws PocketBaseUnavailableError where token and record do not belong together or to `collection`
 */
export function authenticatedFrom(answer: unknown, collection: string): Authenticated {
  const { token, record } = Object(answer) as { readonly token?: unknown; readonly record?: unknown }
  const user = userFrom(record, collection)
  const claims = typeof token === 'string' ? readTokenClaims(token) : null
  if (user === null || typeof token !== 'string' || claims === null) throw foreign()
  if (claims.type !== 'auth' || claims.id !== user.id || claims.collectionId !== user.collectionId) throw foreign()
  return { token, user, expiresAt: claims.expiresAt }
}

/** `value` as a user of `collection` (its name or id), or null. */
export function userFrom(value: unknown, collection: string): UserRecord | null {
  const record = Object(value) as Readonly<Record<string, unknown>>
  const { id, collectionId, collectionName } = record
  if (typeof id !== 'string' || typeof collectionId !== 'string' || typeof collectionName !== 'string') return null
  if (collectionName === SUPERUSERS.name) return null
  if (collectionName !== collection && collectionId !== collection) return null
  return { ...record, id, collectionId, collectionName }
}

function foreign(): PocketBaseUnavailableError {
  return new PocketBaseUnavailableError(new Error('PocketBase answered with a record of another collection'))
}
