// Tokens of mail links: whom they speak of, and that one is used once.

import { createHash } from 'node:crypto'
import { ProblemError } from '../../errors.ts'
import type { WriteResult } from '../../pocketbase/port.ts'
import { readTokenClaims } from '../../pocketbase/token-claims.ts'
import type { Services } from '../../services.ts'

/** Longer than any call to PocketBase; after a crash the token can be tried again that much later. */
const CLAIM_MS = 60_000

/** One answer for unknown, used, expired and malformed: which it was is nobody's business. */
export function invalidToken(): ProblemError {
  return new ProblemError('invalid_token', 'This link is not valid any more. Please ask for a new one.')
}

/**
 * Runs `use` for one caller at a time. PocketBase accepts a reset token many times in parallel, so the token is claimed
 * for the call; a refusal about something else, or an outage, gives it back.
 * @throws ProblemError `invalid_token` to whoever comes second
 */
export async function useOnce<T>(
  { sessions }: Services,
  token: string,
  use: () => Promise<WriteResult<T>>,
): Promise<WriteResult<T>> {
  const claim = `mail-token:${createHash('sha256').update(token).digest('base64url')}`
  if (!(await sessions.claim(claim, CLAIM_MS))) throw invalidToken()
  try {
    const result = await use()
    if (result.kind === 'invalid') await sessions.release(claim)
    return result
  } catch (error) {
    await sessions.release(claim)
    throw error
  }
}

/** The user that a token speaks of. Its signature is not checked here: only for a token that PocketBase has just accepted. */
export function userOfAcceptedToken(token: string): string | null {
  return readTokenClaims(token)?.id ?? null
}
