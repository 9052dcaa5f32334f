// Creates an account: user and profile together, or neither.

import { z } from 'zod'
import type { Config, UserRecord } from '../../config.ts'
import { ProblemError } from '../../errors.ts'
import { inBackground } from '../../lib/background.ts'
import type { WriteResult } from '../../pocketbase/port.ts'
import { publicSession } from '../../sessions/public-session.ts'
import {
  emailField,
  newPasswordField,
  PASSWORDS_DIFFER,
  passwordsAgree,
  profileShape,
  requiredText,
} from '../fields.ts'
import type { Flow, FlowInput, Outcome } from '../flow.ts'
import { invalidInput, parseInput } from '../parse-input.ts'
import { known } from '../signed-in.ts'

export const register: Flow = async (input) => {
  const { services, session } = input
  const { registration } = services.config
  if (registration === 'closed') throw new ProblemError('not_found', 'Accounts are not made here.')
  known(session)
  const { email, password, profile } = parseInput(schemaFor(services.config), input.body)
  // Read before anything is asked: a session must not outlive an "end all" that comes in between.
  const epoch = await services.sessions.epoch()
  const result = await services.pocketbase.register({ email, password, profile }, session.client)
  if (result.kind === 'ok') created(input, email, result.value)
  if (registration === 'verify-first') return accepted(input, email, result)
  if (result.kind === 'invalid') throw invalidInput(result.errors)
  if (result.kind === 'rejected') throw new ProblemError('forbidden', 'This account could not be made.')
  try {
    return await signInNew(input, { email, password, epoch })
  } catch (error) {
    throw isUnavailable(error) ? notSignedIn(error) : error
  }
}

function schemaFor({ profileInput }: Config) {
  return z
    .strictObject({
      email: emailField,
      password: newPasswordField,
      passwordConfirm: requiredText,
      profile: z.strictObject(profileShape(profileInput), { error: objectExpected }).optional(),
    })
    .refine(passwordsAgree, PASSWORDS_DIFFER)
}

function objectExpected({ code }: z.core.$ZodRawIssue): string | undefined {
  return code === 'invalid_type' ? 'This must be an object.' : undefined
}

/** The confirmation mail is not worth waiting for, and it can be asked for again. */
function created({ services, session }: FlowInput, email: string, user: UserRecord): void {
  services.events.emit('user_created', { userId: user.id, ip: session.client.ip })
  sendVerification({ services, session }, email)
}

function sendVerification({ services, session }: Pick<FlowInput, 'services' | 'session'>, email: string): void {
  const { client } = session
  inBackground(
    () => services.pocketbase.requestVerification(email, client),
    (error) => services.logger.warn({ err: error }, 'the confirmation mail could not be asked for'),
  )
}

/**
 * With `verify-first` nobody learns whether an address has an account. Errors of the profile are kept back too: PocketBase
 * looks at the profile only where the address is free. What is wrong with the password it says either way.
 */
function accepted(input: FlowInput, email: string, result: WriteResult<UserRecord>): Outcome {
  if (result.kind === 'invalid') {
    const { password } = result.errors
    if (password !== undefined) throw invalidInput({ password })
    input.services.logger.info({ fields: Object.keys(result.errors) }, 'a registration was refused without telling')
    // An owner who has not confirmed the address yet gets the mail again; PocketBase sends none to others.
    sendVerification(input, email)
  }
  return { status: 202, body: { accepted: true }, notice: 'registration_requested' }
}

interface NewAccount {
  readonly email: string
  readonly password: string
  readonly epoch: number
}

async function signInNew(input: FlowInput, { email, password, epoch }: NewAccount): Promise<Outcome> {
  const { services, session } = input
  const who = await services.pocketbase.authWithPassword({ identity: email, password, isNext: true }, session.client)
  // The collection may let only confirmed addresses sign in.
  if (who.kind !== 'ok') return { status: 202, body: { accepted: true }, notice: 'registration_requested' }
  const live = await services.identity.establish(session, who, { epoch })
  return { status: 201, body: { user: live.user(), session: publicSession(live.record) }, notice: 'registered' }
}

function isUnavailable(error: unknown): error is ProblemError {
  return error instanceof ProblemError && error.status === 503
}

/** The account exists by now: a second registration would only find the address taken. */
function notSignedIn({ code, retryAfter = 5, cause }: ProblemError): ProblemError {
  const message = 'Your account has been made, but you could not be signed in. Please sign in in a moment.'
  return new ProblemError(code, message, { retryAfter, cause })
}
