// Changes the user's profile: only the fields that the app has named.

import { z } from 'zod'
import { ProblemError, type FieldErrors } from '../../errors.ts'
import type { WriteResult } from '../../pocketbase/port.ts'
import { profileShape } from '../fields.ts'
import type { Flow } from '../flow.ts'
import { parseInput } from '../parse-input.ts'
import { signedIn } from '../signed-in.ts'
import { askAsUser } from './ask-as-user.ts'

export const profile: Flow = async ({ services, session, body }) => {
  const { profile: settings } = services.config
  if (settings === false) throw new ProblemError('not_found', 'There are no profiles here.')
  signedIn(session)
  const fields = parseInput(z.strictObject(profileShape(settings.fields)), body)
  const saved = await askAsUser({ services, session }, async ({ token, user }) =>
    plainNames(await services.pocketbase.setProfile({ token, userId: user.id, fields }, session.client)),
  )
  const shown = Object.fromEntries(settings.fields.map((name) => [name, saved[name] ?? null]))
  return { status: 200, body: { profile: shown }, notice: 'profile_saved' }
}

/** Here the whole body is the profile, so its fields go by their own names. */
function plainNames<T>(result: WriteResult<T>): WriteResult<T> {
  if (result.kind !== 'invalid') return result
  const errors: FieldErrors = Object.fromEntries(
    Object.entries(result.errors).map(([name, message]) => [name.replace(/^profile\./, ''), message]),
  )
  return { kind: 'invalid', errors }
}
