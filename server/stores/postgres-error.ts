// What a failed statement means, and an error that is safe to show: PostgreSQL's own carries keys and values of rows.

/**
 * - `undone`: rolled back by the server, and may go well the next time (deadlock, serialization).
 * - `lost`: the connection is gone; whether the statement was done is unknown.
 * - `late`: no answer before the deadline; whether it was or will be done is unknown.
 * - `refused`: an answer of the server: nothing was done.
 */
export type FailureKind = 'undone' | 'lost' | 'late' | 'refused'

/** A failed call. `code` is PostgreSQL's SQLSTATE or the system's error code. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError'
  readonly kind: FailureKind
  readonly code: string | undefined

  constructor(kind: FailureKind, message: string, code?: string) {
    super(message)
    this.kind = kind
    this.code = code
  }
}

const UNDONE = ['40001', '40P01']
/** Connection exceptions; sent by proxies too. */
const LOST_CLASSES = ['08']
/** The server shuts down, crashes or fails over; or it has become a replica, and a new connection may find the new primary. */
const LOST = ['57P01', '57P02', '57P03', '57P05', '25006']
/** Classes of errors whose text is about the server, the user or the schema, and never about what a row holds. */
const SPEAKING_CLASSES = ['08', '25', '26', '28', '3D', '3F', '42', '53', '54', '55', '57', '58']

/** Turns whatever the driver throws into an error that says no more than it may. */
export function toPostgresError(error: unknown): PostgresError {
  if (error instanceof PostgresError) return error
  if (!(error instanceof Error)) return new PostgresError('lost', 'the connection failed')
  // A look at two fields that errors of the driver and of the system have.
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown }
  if (typeof code === 'string' && typeof severity === 'string') return fromServer(code, severity, error.message)
  // Errors of the system and the driver name addresses at most.
  const message = error.message === '' ? 'the connection failed' : error.message
  const isLate = /timeout/i.test(message)
  return new PostgresError(isLate ? 'late' : 'lost', message, typeof code === 'string' ? code : undefined)
}

function fromServer(code: string, severity: string, message: string): PostgresError {
  const kind = kindOf(code, severity)
  const text = SPEAKING_CLASSES.includes(code.slice(0, 2)) ? `${message} (${code})` : `SQLSTATE ${code}`
  return new PostgresError(kind, text, code)
}

function kindOf(code: string, severity: string): FailureKind {
  if (UNDONE.includes(code)) return 'undone'
  const isLost = LOST.includes(code) || LOST_CLASSES.includes(code.slice(0, 2)) || severity !== 'ERROR'
  return isLost ? 'lost' : 'refused'
}
