// Asks PocketBase with the token of the session.

import type { UserRecord } from '../../config.ts'
import { ProblemError, SessionGoneError } from '../../errors.ts'
import type { WriteResult } from '../../pocketbase/port.ts'
import type { FlowInput } from '../flow.ts'
import { invalidInput } from '../parse-input.ts'
import { signedIn } from '../signed-in.ts'

const WAIT_MS = 2000

/**
 * Asks as the signed-in user. PocketBase takes the caller of a dead token for a guest and answers as if nothing were
 * wrong with it, so the token is checked first; the session ends where PocketBase says so.
 * @throws ProblemError `invalid_input`, `session_expired`, `forbidden`, `pocketbase_unavailable`
 */
export async function askAsUser<T>(
  { services, session }: Pick<FlowInput, 'services' | 'session'>,
  ask: (who: { readonly token: string; readonly user: UserRecord }) => Promise<WriteResult<T>>,
): Promise<T> {
  const checked = await services.identity.revalidate(session, { maxAgeMs: 0, waitMs: WAIT_MS })
  if (checked === 'ended') throw new SessionGoneError(session.ended?.reason)
  const { live, user } = signedIn(session)
  const token = live.token()
  if (token === null) throw new SessionGoneError()
  const result = await ask({ token, user })
  if (result.kind === 'ok') return result.value
  if (result.kind === 'invalid') throw invalidInput(result.errors)
  throw new ProblemError('forbidden', 'You may not do this.')
}
