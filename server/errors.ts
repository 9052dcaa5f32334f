// All errors that a caller may see: a stable code, an HTTP status and a text that is safe for anyone to read.
// The origin stays in `cause` and is never sent.

/** Field → message. Nested fields are joined by dots: `profile.displayName`. */
export type FieldErrors = Readonly<Record<string, string>>

/** Status of each problem code. */
export const PROBLEM_STATUS = {
  unauthenticated: 401,
  session_expired: 401,
  invalid_credentials: 401,
  mfa_required: 401,
  reauth_required: 403,
  forbidden: 403,
  csrf_failed: 403,
  origin_refused: 403,
  invalid_input: 422,
  invalid_token: 400,
  invalid_request: 400,
  insecure_transport: 400,
  misdirected: 421,
  unsupported_media_type: 415,
  payload_too_large: 413,
  rate_limited: 429,
  store_unavailable: 503,
  pocketbase_unavailable: 503,
  upstream: 502,
  not_found: 404,
  method_not_allowed: 405,
  internal: 500,
} as const

/** Stable code of a problem (RFC 9457 member `code`). */
export type ProblemCode = keyof typeof PROBLEM_STATUS

export interface ProblemDetails {
  /** Why the session ended, with `session_expired`. */
  readonly reason?: string
  /** Messages by field, with `invalid_input`. */
  readonly errors?: FieldErrors
  /** Seconds until it makes sense to try again; becomes the Retry-After header. */
  readonly retryAfter?: number
  /** For 405. */
  readonly allow?: string
  readonly cause?: unknown
}

/** An error that becomes an `application/problem+json` answer or an error page. */
export class ProblemError extends Error {
  override readonly name: string = 'ProblemError'
  readonly code: ProblemCode
  readonly status: number
  readonly reason: string | undefined
  readonly errors: FieldErrors | undefined
  readonly retryAfter: number | undefined
  readonly allow: string | undefined

  constructor(code: ProblemCode, message: string, details: ProblemDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.status = PROBLEM_STATUS[code]
    this.reason = details.reason
    this.errors = details.errors
    this.retryAfter = details.retryAfter
    this.allow = details.allow
  }
}

/** The session store could not be asked, or a write has an unknown outcome. Never "not signed in". */
export class StoreUnavailableError extends ProblemError {
  override readonly name = 'StoreUnavailableError'
  constructor(cause: unknown) {
    super('store_unavailable', 'The session store cannot be reached at the moment. Please try again.', {
      retryAfter: 5,
      cause,
    })
  }
}

/** PocketBase could not be asked. */
export class PocketBaseUnavailableError extends ProblemError {
  override readonly name = 'PocketBaseUnavailableError'
  constructor(cause: unknown, retryAfter = 5) {
    super('pocketbase_unavailable', 'The user database cannot be reached at the moment. Please try again.', {
      retryAfter,
      cause,
    })
  }
}

/** A session that ended while the request ran; what it wanted to change was not written. */
export class SessionGoneError extends ProblemError {
  override readonly name = 'SessionGoneError'
  constructor(reason?: string) {
    super('session_expired', 'Your session has ended. Please sign in again.', reason === undefined ? {} : { reason })
  }
}

/** An app uses our functions in a way that cannot work. The text is ours and says what to do, so it may be logged. */
export class UsageError extends TypeError {
  override readonly name = 'UsageError'
}

/** Everything that is wrong with a configuration, at once. Never prints a secret value. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'invalid_config'
  readonly problems: readonly string[]
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map((p) => `  - ${p}`).join('\n')}`,
      options,
    )
    this.problems = problems
  }
}
