// Asks for the password again before something sensitive: a new id, and `authTime` is now.

import { z } from 'zod'
import { requiredText } from '../fields.ts'
import type { Flow } from '../flow.ts'
import { parseInput } from '../parse-input.ts'
import { signedIn } from '../signed-in.ts'
import { confirmOwnPassword, moveSession } from './own-password.ts'

const schema = z.strictObject({ password: requiredText })

export const reauthenticate: Flow = async (input) => {
  const { services, session } = input
  const who = signedIn(session)
  const { password } = parseInput(schema, input.body)
  const epoch = await services.sessions.epoch()
  const confirmed = await confirmOwnPassword(input, who.user, password)
  session.adopt(await moveSession(input, who.live, { confirmed, epoch }))
  return { status: 204, notice: 'reauthenticated' }
}
