// Users and profiles come and go together.

import assert from 'node:assert/strict'
import type PocketBase from 'pocketbase'

/** No user without a profile, no profile without a user. Answers the addresses of all users; `admin` is a superuser. */
export async function assertNoHalfUsers(admin: PocketBase): Promise<readonly string[]> {
  const users = await admin.collection('users').getFullList()
  const profiles = await admin.collection('profiles').getFullList()
  assert.deepEqual(profiles.map(({ user }) => String(user)).toSorted(), users.map(({ id }) => id).toSorted())
  return users.map(({ email }) => String(email))
}
