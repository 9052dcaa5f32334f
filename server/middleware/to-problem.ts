// Whatever was thrown → a problem that anyone may read. The text of foreign errors is never passed on:
// a parser quotes the body, a database its query.

import { ProblemError, type ProblemCode } from '../errors.ts'

interface Mapped {
  readonly code: ProblemCode
  readonly message: string
}

const BY_STATUS: Readonly<Record<number, Mapped>> = {
  400: { code: 'invalid_request', message: 'The request cannot be read.' },
  401: { code: 'unauthenticated', message: 'Please sign in.' },
  403: { code: 'forbidden', message: 'You may not do this.' },
  404: { code: 'not_found', message: 'There is nothing at this address.' },
  405: { code: 'method_not_allowed', message: 'This address does not answer to this method.' },
  413: { code: 'payload_too_large', message: 'The body is too large.' },
  415: {
    code: 'unsupported_media_type',
    message: 'The body is of a type, charset or encoding that is not taken here.',
  },
  429: { code: 'rate_limited', message: 'Too many requests. Please try again later.' },
}
/** The parser's word for it: express.json() takes objects and lists only. */
const NO_JSON: Mapped = { code: 'invalid_request', message: 'The body is not valid JSON, or not an object.' }
const OTHER_CLIENT_ERROR: Mapped = { code: 'invalid_request', message: 'The request cannot be answered.' }
const INTERNAL: Mapped = { code: 'internal', message: 'Something went wrong on our side. Please try again.' }

/** The error itself where it is one of ours; else what its `status` (http-errors, body-parser, the router) stands for. */
export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error
  const status = statusOf(error)
  const isClientError = status !== null && status >= 400 && status < 500
  const { code, message } = isClientError ? clientError(error, status) : INTERNAL
  return new ProblemError(code, message, { cause: error })
}

function clientError(error: unknown, status: number): Mapped {
  const { type } = error as { type?: unknown } // an object by its status
  if (type === 'entity.parse.failed') return NO_JSON
  return BY_STATUS[status] ?? OTHER_CLIENT_ERROR
}

function statusOf(error: unknown): number | null {
  if (typeof error !== 'object' || error === null) return null
  const { status, statusCode } = error as { status?: unknown; statusCode?: unknown } // a look at two fields
  const found = status ?? statusCode
  return typeof found === 'number' && Number.isInteger(found) ? found : null
}
