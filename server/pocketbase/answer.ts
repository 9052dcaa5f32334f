// Tells PocketBase's own refusals from everything else. A 401 or 403 of a proxy, a captive portal or a server
// that is just starting must never end a session: only PocketBase's JSON error is a definite no.

import { ClientResponseError } from 'pocketbase'
import { PocketBaseUnavailableError, ProblemError } from '../errors.ts'

/** PocketBase's JSON error `{ status, message, data }`. */
export interface Refusal {
  readonly kind: 'refused'
  readonly status: number
  readonly message: string
  readonly data: Readonly<Record<string, unknown>>
}

export type Answer<T> = { readonly kind: 'ok'; readonly value: T } | Refusal | { readonly kind: 'mfa' }

/** PocketBase sends no Retry-After; its preset windows are 1 to 10 seconds long. */
const RATE_LIMIT_RETRY_S = 10

/**
 * What an error of the SDK means.
 * @throws ProblemError rate_limited for PocketBase's 429, PocketBaseUnavailableError for whatever is not its own answer
 */
export function answerOf(error: unknown): Refusal | { readonly kind: 'mfa' } {
  if (!(error instanceof ClientResponseError)) throw new PocketBaseUnavailableError(error)
  const body: Readonly<Record<string, unknown>> = error.response
  // The first step of a login with two factors: the one refusal that has another shape.
  if (error.status === 401 && typeof body['mfaId'] === 'string') return { kind: 'mfa' }
  const refusal = refusalOf(error.status, body)
  if (refusal === null) throw new PocketBaseUnavailableError(error)
  if (refusal.status === 429) {
    throw new ProblemError('rate_limited', 'Too many requests. Please wait a little and try again.', {
      retryAfter: RATE_LIMIT_RETRY_S,
      cause: error,
    })
  }
  return refusal
}

/** Where the answer fits no case of a call: PocketBase is not set up as the call needs it. */
export function unexpected(call: string, answer: Answer<unknown>): PocketBaseUnavailableError {
  const what = answer.kind === 'refused' ? `${answer.status} ${answer.message}` : answer.kind
  return new PocketBaseUnavailableError(new Error(`${call}: unexpected answer of PocketBase: ${what}`))
}

function refusalOf(status: number, body: Readonly<Record<string, unknown>>): Refusal | null {
  const { message, data } = body
  if (status < 400 || status > 499 || body['status'] !== status) return null
  if (typeof message !== 'string' || typeof data !== 'object' || data === null || Array.isArray(data)) return null
  // A JSON object by the check; the members are still unknown.
  return { kind: 'refused', status, message, data: data as Record<string, unknown> }
}
