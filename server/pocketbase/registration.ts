// Creates a user and its profile: in one transaction where our hook runs, one after the other where it does not.

import { ProblemError } from '../errors.ts'
import type { UserRecord } from '../config.ts'
import { unexpected } from './answer.ts'
import type { Answer } from './answer.ts'
import { authenticatedFrom, userFrom } from './authenticated.ts'
import { fieldErrorsFrom } from './field-errors.ts'
import { defaultProfile } from './missing-profile.ts'
import type { Client, PocketBasePort, Registration, WriteResult } from './port.ts'
import { allowedFields } from './profile-calls.ts'
import type { Upstream } from './upstream.ts'

export interface RegistrationOptions {
  /** Whether PocketBase runs our hooks. */
  readonly hasHooks: () => Promise<boolean>
  readonly setProfile: PocketBasePort['setProfile']
}

export function registrationCall(upstream: Upstream, options: RegistrationOptions): PocketBasePort['register'] {
  return async (input, client) => {
    const hooks = upstream.profile !== false && (await options.hasHooks())
    const answer = await createUser(upstream, hooks ? input : withoutProfile(input), client)
    const result = registrationResult(upstream, answer)
    if (result.kind === 'ok' && !hooks && upstream.profile !== false) {
      await createProfile(upstream, options, { input, client })
    }
    return result
  }
}

/** Only these fields: what else a visitor sent (a role, `verified`) never reaches PocketBase. */
function createUser(
  upstream: Upstream,
  { email, password, profile }: Registration,
  client: Client,
): Promise<Answer<unknown>> {
  const user = { email, password, passwordConfirm: password }
  const body = profile === undefined ? user : { ...user, profile: allowedFields(upstream, profile) }
  return upstream.ask({ name: 'register', client, passwordCheck: true }, (sdk) =>
    sdk.collection(upstream.collection).create<UserRecord>(body),
  )
}

function withoutProfile({ email, password }: Registration): Registration {
  return { email, password }
}

function registrationResult({ collection }: Upstream, answer: Answer<unknown>): WriteResult<UserRecord> {
  if (answer.kind === 'ok') {
    const user = userFrom(answer.value, collection)
    if (user === null) throw unexpected('register', answer)
    return { kind: 'ok', value: user }
  }
  if (answer.kind !== 'refused') throw unexpected('register', answer)
  if (answer.status === 400) {
    const otherwise = 'This account cannot be created. Please check the e-mail address and the password.'
    return { kind: 'invalid', errors: fieldErrorsFrom(answer.data, otherwise) }
  }
  if (answer.status === 403) throw new ProblemError('forbidden', 'Registration is closed.')
  throw unexpected('register', answer)
}

/**
 * The user exists by now, so a failure is no failure of the registration: a second try would find the address
 * taken. The profile is made at the next sign-in instead.
 */
async function createProfile(
  upstream: Upstream,
  { setProfile }: RegistrationOptions,
  { input, client }: { readonly input: Registration; readonly client: Client },
): Promise<void> {
  const { ask, collection, logger } = upstream
  try {
    const answer = await ask({ name: 'register', client, passwordCheck: true }, (sdk) =>
      sdk.collection(collection).authWithPassword(input.email, input.password),
    )
    if (answer.kind !== 'ok') throw unexpected('register', answer)
    const { token, user } = authenticatedFrom(answer.value, collection)
    const fields = input.profile ?? defaultProfile(user)
    const result = await setProfile({ token, userId: user.id, fields }, client)
    if (result.kind !== 'ok') logger.warn({ userId: user.id, result: result.kind }, 'the profile could not be created')
  } catch (error) {
    logger.warn({ why: error instanceof Error ? error.name : 'unknown' }, 'the profile could not be created')
  }
}
