// An administrator looks for users by e-mail. The route lets only the role `admin` in, checked with PocketBase.

import { z } from 'zod'
import { askAsUser } from '../auth/ask-as-user.ts'
import { optionalText } from '../fields.ts'
import type { Flow } from '../flow.ts'
import { parseInput } from '../parse-input.ts'
import { adminUser } from './admin-user.ts'

const schema = z.object({ q: optionalText.max(200, 'This is too long.').trim().default('') })

export const findUsers: Flow = async (input) => {
  const { services, session } = input
  const { q } = parseInput(schema, input.query)
  const users = await askAsUser(input, ({ token }) =>
    services.pocketbase.findUsers({ token, query: q }, session.client),
  )
  return { status: 200, body: { users: users.map((user) => adminUser(services.config, user)) } }
}
