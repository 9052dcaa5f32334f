// What only a superuser may do. For commands of the person who owns the server; a request never comes here.

import PocketBase, { BaseAuthStore, ClientResponseError } from 'pocketbase'
import type { Superuser } from './launcher/superuser-file.ts'

export interface SuperuserOptions {
  readonly url: string
  readonly superuser: Superuser
}

const TIMEOUT_MS = 10_000

/** An SDK client that has signed in as superuser. @throws Error where PocketBase refuses or cannot be reached */
export async function signInSuperuser({ url, superuser }: SuperuserOptions): Promise<PocketBase> {
  const sdk = new PocketBase(url, new BaseAuthStore())
  sdk.autoCancellation(false)
  sdk.beforeSend = (target, options) => ({
    url: target,
    options: { ...options, redirect: 'error', signal: AbortSignal.timeout(TIMEOUT_MS) },
  })
  await sdk.collection('_superusers').authWithPassword(superuser.email, superuser.password)
  return sdk
}

export type SetRoleResult =
  | { readonly kind: 'ok'; readonly userId: string }
  /** Nobody has this e-mail address. */
  | { readonly kind: 'unknown' }
  /** The collection knows no such role, or no roles at all. */
  | { readonly kind: 'refused' }

/** Gives the user with this e-mail address a role. It holds at once: PocketBase reads the record at every request. */
export async function setRole(
  sdk: PocketBase,
  { collection, email, role }: { readonly collection: string; readonly email: string; readonly role: string },
): Promise<SetRoleResult> {
  const users = sdk.collection(collection)
  // `:lower`: the address may have been registered in another case.
  const filter = sdk.filter('email:lower = {:email}', { email: email.toLowerCase() })
  const { items } = await users.getList(1, 1, { filter, skipTotal: true })
  const [user] = items
  if (user === undefined) return { kind: 'unknown' }
  try {
    const saved = await users.update(user.id, { role })
    return saved['role'] === role ? { kind: 'ok', userId: user.id } : { kind: 'refused' }
  } catch (error) {
    if (error instanceof ClientResponseError && error.status === 400) return { kind: 'refused' }
    throw error
  }
}
