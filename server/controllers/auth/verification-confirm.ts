// Confirms an e-mail address with the token of a mail. Doing it twice is harmless and PocketBase allows it, so that a
// double click is no error and no claim is needed.

import { z } from 'zod'
import { requiredText } from '../fields.ts'
import type { Flow } from '../flow.ts'
import { invalidInput, parseInput } from '../parse-input.ts'
import { known } from '../signed-in.ts'
import { invalidToken } from './mail-token.ts'

const WAIT_MS = 1000

const schema = z.strictObject({ token: requiredText })

export const verificationConfirm: Flow = async ({ services, session, body }) => {
  known(session)
  const { token } = parseInput(schema, body)
  const result = await services.pocketbase.confirmVerification(token, session.client)
  if (result.kind === 'rejected') throw invalidToken()
  if (result.kind === 'invalid') throw invalidInput(result.errors)
  // Whoever is signed in here sees at once what PocketBase says of them now.
  await services.identity.revalidate(session, { maxAgeMs: 0, waitMs: WAIT_MS })
  return { status: 204, clearLink: true, notice: 'email_verified' }
}
