// The border of a flow: `unknown` goes in, checked data comes out, or a 422 that names every field that is wrong.

import type { z } from 'zod'
import { ProblemError, type FieldErrors } from '../errors.ts'

/** Message of a field that the flow does not have. Its name is the caller's own text, and no log's business. */
export const UNKNOWN_FIELD = 'There is no such field.'

/** A caller that sends a thousand unknown fields gets a list of the first few. */
const MAX_ERRORS = 20

/**
 * Checks `body` against `schema`. No body counts as an empty one.
 * @throws ProblemError `invalid_input` with `errors` by field, nested ones joined by dots
 */
export function parseInput<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const result = schema.safeParse(body ?? {})
  if (result.success) return result.data
  throw invalidInput(fieldErrors(result.error.issues))
}

/** A 422 about the given fields. */
export function invalidInput(errors: FieldErrors): ProblemError {
  if (Object.keys(errors).length === 0) {
    return new ProblemError('invalid_input', 'The request must hold one object with the named fields.')
  }
  return new ProblemError('invalid_input', 'Please check the marked fields.', { errors })
}

function fieldErrors(issues: readonly z.core.$ZodIssue[]): FieldErrors {
  const errors = new Map<string, string>()
  for (const issue of issues) {
    for (const [field, message] of fieldsOf(issue)) {
      // The first thing that is wrong with a field is what its user can act on.
      if (field !== '' && !errors.has(field) && errors.size < MAX_ERRORS) errors.set(field, message)
    }
  }
  return Object.fromEntries(errors)
}

function fieldsOf(issue: z.core.$ZodIssue): readonly (readonly [string, string])[] {
  if (issue.code !== 'unrecognized_keys') return [[issue.path.join('.'), issue.message]]
  return issue.keys.map((key) => [[...issue.path, key].join('.'), UNKNOWN_FIELD])
}
