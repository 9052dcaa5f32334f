// Calls that make PocketBase hash a password.

import { authenticatedFrom } from './authenticated.ts'
import { unexpected } from './answer.ts'
import { fieldErrorsFrom } from './field-errors.ts'
import type { Client, PasswordInput, PasswordResult, PocketBasePort, WriteResult } from './port.ts'
import type { Upstream } from './upstream.ts'

/** PocketBase says this before it looks at the password; any other 403 comes after it (authRule, hooks). */
const NO_PASSWORDS = 'not configured to allow password authentication'

type PasswordCalls = Pick<
  PocketBasePort,
  'authWithPassword' | 'changePassword' | 'requestPasswordReset' | 'confirmPasswordReset'
>

export function passwordCalls(upstream: Upstream): PasswordCalls {
  return {
    authWithPassword: (input, client) => authWithPassword(upstream, input, client),
    changePassword: (input, client) => changePassword(upstream, input, client),
    requestPasswordReset: (email, client) => requestPasswordReset(upstream, email, client),
    confirmPasswordReset: (input, client) => confirmPasswordReset(upstream, input, client),
  }
}

async function authWithPassword(
  { ask, collection }: Upstream,
  { identity, password, isNext = false }: PasswordInput,
  client: Client,
): Promise<PasswordResult> {
  const answer = await ask({ name: 'authWithPassword', client, passwordCheck: true, isNext }, (sdk) =>
    sdk.collection(collection).authWithPassword(identity, password),
  )
  if (answer.kind === 'ok') return { kind: 'ok', ...authenticatedFrom(answer.value, collection) }
  if (answer.kind === 'mfa') return { kind: 'mfa' }
  if (answer.status === 400) return { kind: 'wrong' }
  if (answer.status === 403 && !answer.message.includes(NO_PASSWORDS)) return { kind: 'not_allowed' }
  throw unexpected('authWithPassword', answer)
}

async function changePassword(
  { ask, collection }: Upstream,
  { token, userId, currentPassword, password }: Parameters<PocketBasePort['changePassword']>[0],
  client: Client,
): Promise<WriteResult> {
  const answer = await ask({ name: 'changePassword', client, token, passwordCheck: true }, (sdk) =>
    sdk.collection(collection).update(userId, { oldPassword: currentPassword, password, passwordConfirm: password }),
  )
  if (answer.kind === 'ok') return { kind: 'ok', value: undefined }
  if (answer.kind === 'refused' && answer.status === 400) {
    return { kind: 'invalid', errors: fieldErrorsFrom(answer.data, 'The password was not changed.') }
  }
  // With a dead token PocketBase takes the caller for a guest, who does not see the record: 404.
  if (answer.kind === 'refused') return { kind: 'rejected' }
  throw unexpected('changePassword', answer)
}

/** The same for known and unknown addresses, and for what is no address. */
async function requestPasswordReset({ ask, collection }: Upstream, email: string, client: Client): Promise<void> {
  const answer = await ask({ name: 'requestPasswordReset', client }, (sdk) =>
    sdk.collection(collection).requestPasswordReset(email),
  )
  if (answer.kind === 'ok' || (answer.kind === 'refused' && answer.status === 400)) return
  throw unexpected('requestPasswordReset', answer)
}

async function confirmPasswordReset(
  { ask, collection }: Upstream,
  { token, password }: Parameters<PocketBasePort['confirmPasswordReset']>[0],
  client: Client,
): Promise<WriteResult> {
  const answer = await ask({ name: 'confirmPasswordReset', client, passwordCheck: true }, (sdk) =>
    sdk.collection(collection).confirmPasswordReset(token, password, password),
  )
  if (answer.kind === 'ok') return { kind: 'ok', value: undefined }
  if (answer.kind !== 'refused' || answer.status !== 400) throw unexpected('confirmPasswordReset', answer)
  if ('token' in answer.data) return { kind: 'rejected' }
  return { kind: 'invalid', errors: fieldErrorsFrom(answer.data, 'The password was not changed.') }
}
