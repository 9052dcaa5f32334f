// Signing in with a password.

import { z } from 'zod'
import { publicSession } from '../../sessions/public-session.ts'
import { checkbox, identityField, requiredText } from '../fields.ts'
import type { Flow } from '../flow.ts'
import { parseInput } from '../parse-input.ts'
import { known } from '../signed-in.ts'

const json = schema(false)
const form = schema(true)

export const login: Flow = async ({ services, session, body, form: fromForm }) => {
  known(session)
  const { identity, password, remember } = parseInput(fromForm ? form : json, body)
  const live = await services.identity.signIn(session, { identity, password }, { remember: remember === true })
  return {
    status: 200,
    body: { user: live.user(), session: publicSession(live.record) },
  }
}

function schema(fromForm: boolean) {
  return z.strictObject({ identity: identityField, password: requiredText, remember: checkbox(fromForm) })
}
