// Sets a new password with the token of a mail. Whoever had a session with the old one loses it, this browser too.

import { z } from 'zod'
import { newPasswordField, PASSWORDS_DIFFER, passwordsAgree, requiredText } from '../fields.ts'
import type { Flow, FlowInput } from '../flow.ts'
import { invalidInput, parseInput } from '../parse-input.ts'
import { known } from '../signed-in.ts'
import { invalidToken, useOnce, userOfAcceptedToken } from './mail-token.ts'

const schema = z
  .strictObject({ token: requiredText, password: newPasswordField, passwordConfirm: requiredText })
  .refine(passwordsAgree, PASSWORDS_DIFFER)

export const passwordResetConfirm: Flow = async ({ services, session, body }) => {
  known(session)
  const { token, password } = parseInput(schema, body)
  const result = await useOnce(services, token, () =>
    services.pocketbase.confirmPasswordReset({ token, password }, session.client),
  )
  if (result.kind === 'rejected') throw invalidToken()
  if (result.kind === 'invalid') throw invalidInput(result.errors)
  await endAllSessions({ services, session }, userOfAcceptedToken(token))
  return { status: 204, clearLink: true, notice: 'password_reset' }
}

/** No sign-in follows: a mail alone must not open a session. */
async function endAllSessions(
  { services, session }: Pick<FlowInput, 'services' | 'session'>,
  userId: string | null,
): Promise<void> {
  if (userId === null) throw new Error('PocketBase accepted a token that names no user.')
  await services.sessions.endByUser(userId, 'password_reset')
  if (session.session?.record.userId === userId) session.drop('password_reset')
  services.events.emit('authn_password_reset', { userId, ip: session.client.ip })
}
