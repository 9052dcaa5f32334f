// Our port to a PocketBase of the test.

import { availableParallelism } from 'node:os'
import type { Logger } from '../../server/logger.ts'
import { createPocketBase } from '../../server/pocketbase/client.ts'
import type { Client, PocketBasePort } from '../../server/pocketbase/port.ts'

export interface TestClientOptions {
  readonly timeoutMs?: number
  readonly concurrentLogins?: number
  readonly logger?: Logger
  readonly profile?: false
}

export const VISITOR: Client = { ip: '203.0.113.9', userAgent: 'Test browser/1.0' }

export const PROFILE = { collection: 'profiles', fields: ['displayName', 'bio'] }

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

export function clientOf(url: string, options: TestClientOptions = {}): PocketBasePort {
  const { timeoutMs = 5000, concurrentLogins = availableParallelism(), logger = SILENT } = options
  return createPocketBase({
    pocketbase: { url, collection: 'users', timeoutMs, loginTimeoutMs: timeoutMs, concurrentLogins },
    profile: options.profile ?? PROFILE,
    logger,
  })
}

let count = 0

/** A registered user of its own. */
export async function newUser(pocketbase: PocketBasePort) {
  count += 1
  const email = `user${count}@example.com`
  const password = `password-${count}`
  const registered = await pocketbase.register({ email, password, profile: { displayName: `User ${count}` } }, VISITOR)
  if (registered.kind !== 'ok') throw new Error(`not registered: ${JSON.stringify(registered)}`)
  const signedIn = await pocketbase.authWithPassword({ identity: email, password }, VISITOR)
  if (signedIn.kind !== 'ok') throw new Error(`not signed in: ${signedIn.kind}`)
  return { email, password, token: signedIn.token, userId: signedIn.user.id, expiresAt: signedIn.expiresAt }
}
