// A user without a profile gets one at the next sign-in. Where our hook runs there is none to make: it makes user and
// profile together.

import type { UserRecord } from '../config.ts'
import { inBackground } from '../lib/background.ts'
import type { Client, PasswordResult, PocketBasePort } from './port.ts'
import { ensureProfile } from './profile-calls.ts'
import type { Upstream } from './upstream.ts'

type SignIn = PocketBasePort['authWithPassword']

/** The same sign-in; the profile is looked for after its answer. */
export function withProfile(upstream: Upstream, hasHooks: () => Promise<boolean>, signIn: SignIn): SignIn {
  return async (input, client) => {
    const result = await signIn(input, client)
    if (result.kind === 'ok' && upstream.profile !== false) {
      const task = () => makeIfMissing(upstream, hasHooks, { result, client })
      inBackground(task, (error) => warn(upstream, error))
    }
    return result
  }
}

/** What a profile holds of which nothing was said. */
export function defaultProfile({ email = '', ...user }: UserRecord): { readonly displayName: string } {
  const name = user['name']
  return { displayName: typeof name === 'string' && name !== '' ? name : (email.split('@')[0] ?? '').slice(0, 80) }
}

interface SignedIn {
  readonly result: PasswordResult & { readonly kind: 'ok' }
  readonly client: Client
}

async function makeIfMissing(
  upstream: Upstream,
  hasHooks: () => Promise<boolean>,
  { result: { token, user }, client }: SignedIn,
): Promise<void> {
  if (await hasHooks()) return
  const answer = await ensureProfile(upstream, { token, userId: user.id, fields: defaultProfile(user) }, client)
  if (answer.kind !== 'ok') upstream.logger.debug({ userId: user.id, result: answer.kind }, 'there is no profile')
}

function warn({ logger }: Upstream, error: unknown): void {
  logger.warn({ err: error }, 'a missing profile could not be made')
}
