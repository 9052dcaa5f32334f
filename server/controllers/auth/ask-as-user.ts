// Asks PocketBase with the token of the session, and follows a definite no.

import type { UserRecord } from '../../config.ts'
import { ProblemError, SessionGoneError } from '../../errors.ts'
import type { WriteResult } from '../../pocketbase/port.ts'
import type { FlowInput } from '../flow.ts'
import { invalidInput } from '../parse-input.ts'
import { signedIn } from '../signed-in.ts'

const WAIT_MS = 2000

/**
 * Asks as the signed-in user. A refused token is checked at once: the session ends where PocketBase says so, otherwise
 * the question is asked once more with the token of now.
 * @throws ProblemError `invalid_input`, `session_expired`, `forbidden`, `pocketbase_unavailable`
 */
export async function askAsUser<T>(
  input: Pick<FlowInput, 'services' | 'session'>,
  ask: (who: { readonly token: string; readonly user: UserRecord }) => Promise<WriteResult<T>>,
): Promise<T> {
  const first = await ask(asker(input))
  if (first.kind !== 'rejected') return valueOf(first)
  const verdict = await input.services.identity.revalidate(input.session, { maxAgeMs: 0, waitMs: WAIT_MS })
  if (verdict === 'ended') throw new SessionGoneError(input.session.ended?.reason)
  const second = await ask(asker(input))
  if (second.kind === 'rejected') throw new ProblemError('forbidden', 'You may not do this.')
  return valueOf(second)
}

function asker({ session }: Pick<FlowInput, 'session'>): { readonly token: string; readonly user: UserRecord } {
  const { live, user } = signedIn(session)
  const token = live.token()
  if (token === null) throw new SessionGoneError()
  return { token, user }
}

function valueOf<T>(result: Exclude<WriteResult<T>, { readonly kind: 'rejected' }>): T {
  if (result.kind === 'invalid') throw invalidInput(result.errors)
  return result.value
}
