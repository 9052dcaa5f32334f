// A flow parses its input, runs, and returns an outcome; it never sees `res`. The row in `routes/` gives it
// JSON answers, form posts with redirects, CSRF, limits, errors and audit events.

import type { RequestSession } from '../middleware/request-session.ts'
import type { Services } from '../services.ts'

export interface FlowInput {
  readonly services: Services
  readonly session: RequestSession
  /** The parsed body: a JSON object, or the fields of a form (`profile.bio` nested, `_csrf` and `returnTo` taken out). */
  readonly body: unknown
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, unknown>>
  /** Whether it came from an HTML form. */
  readonly form: boolean
}

export interface Outcome {
  readonly status: 200 | 201 | 202 | 204
  /** The JSON answer; none with 204. */
  readonly body?: object
  /** Sends `Clear-Site-Data: "cache", "storage"`. */
  readonly clearSiteData?: boolean
  /** Clears the cookie that held a mail link's token. */
  readonly clearLink?: boolean
  /** Shown once on the page that a form leads to: a key of NOTICES. */
  readonly notice?: string
}

/** @throws ProblemError for everything that the caller may know. */
export type Flow = (input: FlowInput) => Promise<Outcome>
