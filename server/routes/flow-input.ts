// Reads what a flow gets: a JSON object, or the fields of a form.

import type { Request } from 'express'
import { ProblemError } from '../errors.ts'
import type { FlowInput } from '../controllers/flow.ts'
import { mediaKind } from '../lib/media-kind.ts'
import { isUnsafeMethod } from '../middleware/check-origin.ts'
import { hasBody, readForm, readJson } from '../middleware/body.ts'
import { readLink, type LinkContext } from '../middleware/link-cookie.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import type { FlowRow } from './flow-row.ts'

type Fields = Readonly<Record<string, unknown>>

/** Fields of a form that are ours and no flow's. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['_csrf', 'returnTo'])
/** No flow takes more; what is deeper is made to exhaust somebody. */
const MAX_DEPTH = 4
const MAX_VALUES = 200

export interface ReadInput {
  readonly body: FlowInput['body']
  readonly form: boolean
}

/**
 * Reads the body as the row takes it. A JSON route takes `application/json` and nothing else, a form urlencoded and
 * nothing else: a browser sends no JSON across origins without asking first.
 * @throws ProblemError `unsupported_media_type` 415, `payload_too_large` 413, `invalid_request` 400
 */
export async function readInput(services: LinkContext, row: FlowRow, session: RequestSession): Promise<ReadInput> {
  const { req, res } = session
  if (!isUnsafeMethod(req.method)) return { body: {}, form: false }
  const kind = mediaKind(req.headers['content-type'])
  if (kind === 'form' && row.form !== undefined) {
    const fields = formFields(await readForm(req, res))
    return { body: row.form.mailLink === true ? withLink(services, req, fields) : fields, form: true }
  }
  if (row.formOnly !== true) {
    if (kind === 'none' && !hasBody(req)) return { body: {}, form: false }
    if (kind === 'json') return { body: limited(await readJson(req, res)), form: false }
  }
  throw new ProblemError('unsupported_media_type', `Send ${takenTypes(row)}.`)
}

/** The form of a mail link does not hold the token: it stands in a sealed cookie. */
function withLink(services: LinkContext, req: Request, fields: Fields): Fields {
  if (Object.hasOwn(fields, 'token')) return fields
  const token = readLink(services, req)
  if (token !== null) return { ...fields, token }
  throw new ProblemError('invalid_token', 'This link is not valid any more. Please ask for a new one.')
}

function takenTypes({ form, formOnly }: FlowRow): string {
  if (formOnly === true) return 'application/x-www-form-urlencoded'
  return form === undefined ? 'application/json' : 'application/json, or a form as application/x-www-form-urlencoded'
}

/** `profile.bio` becomes `bio` inside of `profile`. A name that occurs twice is a list, which no flow takes. */
function formFields(form: Fields): Fields {
  const nested = new Map<string, [string, unknown][]>()
  const plain: [string, unknown][] = []
  for (const [name, value] of Object.entries(limited(form))) {
    const [group, field, ...more] = name.split('.')
    if (OWN_FIELDS.has(name)) continue
    if (group === undefined || field === undefined || more.length > 0) plain.push([name, value])
    else nested.set(group, [...(nested.get(group) ?? []), [field, value]])
  }
  // `fromEntries` makes own fields whatever their name: `__proto__` stays a field that nobody knows.
  const groups = Array.from(nested, ([group, fields]) => [group, Object.fromEntries(fields)] as const)
  return Object.fromEntries([...plain, ...groups])
}

function limited(body: Fields): Fields {
  if (countValues(body, MAX_DEPTH) > MAX_VALUES)
    throw new ProblemError('invalid_request', 'The body has too many parts.')
  return body
}

/** How many values there are; infinitely many below `depth`. */
function countValues(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 1
  if (depth === 0) return Number.POSITIVE_INFINITY
  let count = 1
  for (const inner of Object.values(value)) {
    count += countValues(inner, depth - 1)
    if (count > MAX_VALUES) return count
  }
  return count
}
