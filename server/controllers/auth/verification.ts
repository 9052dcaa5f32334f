// Sends the mail that confirms an e-mail address once more.

import { z } from 'zod'
import type { Flow } from '../flow.ts'
import { parseInput } from '../parse-input.ts'
import { signedIn } from '../signed-in.ts'

const schema = z.strictObject({})

export const verification: Flow = async ({ services, session, body }) => {
  const { user } = signedIn(session)
  parseInput(schema, body)
  if (user.email) await services.pocketbase.requestVerification(user.email, session.client)
  return { status: 202, body: { accepted: true }, notice: 'verification_sent' }
}
