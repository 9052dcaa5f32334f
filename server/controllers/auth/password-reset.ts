// Asks for a reset mail. The answer is the same for every address: it must not tell which ones have an account.

import { z } from 'zod'
import { emailField } from '../fields.ts'
import type { Flow } from '../flow.ts'
import { parseInput } from '../parse-input.ts'
import { known } from '../signed-in.ts'

const schema = z.strictObject({ email: emailField })

export const passwordReset: Flow = async ({ services, session, body }) => {
  known(session)
  const { email } = parseInput(schema, body)
  await services.pocketbase.requestPasswordReset(email, session.client)
  return { status: 202, body: { accepted: true }, notice: 'reset_requested' }
}
