// Changes the password. PocketBase kills all tokens of the user with it, so the order matters: the session moves to an
// id that nobody else can hold, PocketBase changes the password, the session gets its new token, the others end, and
// the browser hears of it last.

import { z } from 'zod'
import type { UserRecord } from '../../config.ts'
import { ProblemError, SessionGoneError } from '../../errors.ts'
import type { Authenticated } from '../../pocketbase/port.ts'
import type { LiveSession } from '../../sessions/live-session.ts'
import { newPasswordField, PASSWORDS_DIFFER, passwordsAgree, requiredText } from '../fields.ts'
import type { Flow, FlowInput } from '../flow.ts'
import { invalidInput, parseInput } from '../parse-input.ts'
import { signedIn, type SignedIn } from '../signed-in.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { confirmOwnPassword, identityOf, moveSession } from './own-password.ts'
import { sessionLost } from './session-lost.ts'

const schema = z
  .strictObject({ currentPassword: requiredText, password: newPasswordField, passwordConfirm: requiredText })
  .refine(passwordsAgree, PASSWORDS_DIFFER)

type Passwords = z.output<typeof schema>

export const password: Flow = async (input) => {
  const { services, session } = input
  const who = signedIn(session)
  const passwords = parseInput(schema, input.body)
  // PocketBase lets two changes at once both pass, and each would end the other's session.
  await oneAtATime(services, `password:${who.user.id}`, () => moveAndChange(input, who, passwords))
  return { status: 204, notice: 'password_changed' }
}

async function moveAndChange(input: FlowInput, { live: old, user }: SignedIn, passwords: Passwords): Promise<void> {
  const { services, session } = input
  const epoch = await services.sessions.epoch()
  const confirmed = await confirmCurrent(input, user, passwords.currentPassword)
  const live = await moveSession(input, old, { confirmed, epoch })
  try {
    await changeAndFollow(input, { live, confirmed, passwords })
  } catch (error) {
    // The old id is dead already. Whatever failed, a session that still lives goes on under the new one.
    if (!(error instanceof SessionGoneError)) session.adopt(live)
    throw error
  }
  session.adopt(live)
  const about = { userId: user.id, session: live.record.handle, ip: session.client.ip }
  services.events.emit('authn_password_change', about)
}

/** Before anything moves, so that a slip of the fingers changes nothing. */
async function confirmCurrent(input: FlowInput, user: UserRecord, current: string): Promise<Authenticated> {
  try {
    return await confirmOwnPassword(input, user, current)
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'invalid_credentials') throw error
    throw invalidInput({ currentPassword: 'This is not your current password.' })
  }
}

interface Change {
  readonly live: LiveSession
  readonly confirmed: Authenticated
  readonly passwords: Passwords
}

async function changeAndFollow(input: FlowInput, change: Change): Promise<void> {
  const { services, session } = input
  const { live, confirmed, passwords } = change
  const { user, token } = confirmed
  const result = await services.pocketbase.changePassword(
    { token, userId: user.id, currentPassword: passwords.currentPassword, password: passwords.password },
    session.client,
  )
  if (result.kind === 'invalid') throw invalidInput(result.errors)
  if (result.kind === 'rejected') await giveUp(input, live)
  try {
    await storeNewToken(input, change)
  } finally {
    // The others end whether or not PocketBase could be asked for a new token.
    await services.sessions.endByUser(user.id, 'password_changed', { except: live })
  }
}

async function storeNewToken(input: FlowInput, { live, confirmed, passwords }: Change): Promise<void> {
  const { services, session } = input
  const credentials = { identity: identityOf(confirmed.user), password: passwords.password, isNext: true }
  const again = await services.pocketbase.authWithPassword(credentials, session.client)
  if (again.kind !== 'ok') return giveUp(input, live)
  const written = await services.sessions.update(live, {
    set: { token: again.token, user: again.user },
    columns: { validatedAt: services.now(), tokenExpiresAt: again.expiresAt },
  })
  if (written !== 'ok') await sessionLost(input, live)
}

/** A session whose token is dead and cannot be had again ends now, not at its next check. */
async function giveUp({ services, session }: FlowInput, live: LiveSession): Promise<never> {
  await services.sessions.end(live, 'password_changed')
  session.drop('password_changed')
  throw new SessionGoneError('password_changed')
}
