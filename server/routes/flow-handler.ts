// Runs a flow for an HTTP request: what every flow needs, in one order.

import type { RequestHandler } from 'express'
import type { FlowInput, Outcome } from '../controllers/flow.ts'
import { assertFresh, assertKnown, assertRole, assertSignedIn } from '../middleware/assert-access.ts'
import { isUnsafeMethod } from '../middleware/check-origin.ts'
import { assertNotForged } from '../middleware/csrf.ts'
import { clearLink } from '../middleware/link-cookie.ts'
import { assertWithinLimit, mayMail } from '../middleware/rate-limit.ts'
import { requestSession, type RequestSession } from '../middleware/request-session.ts'
import { noStore, sendJson } from '../middleware/send-json.ts'
import type { Services } from '../services.ts'
import { readInput } from './flow-input.ts'
import type { FlowRow } from './flow-row.ts'
import { sendFormSuccess } from './form-answer.ts'

/**
 * The handler of a row: forgery, access, body, limits, flow, answer. The checks against forgery are made here too, token
 * included, whether or not the app has mounted `csrf()`. What it throws is answered by {@link flowErrors}.
 */
export function flowHandler(services: Services, row: FlowRow): RequestHandler {
  return async function runFlow(req, res) {
    noStore(res)
    const session = requestSession(req)
    if (isUnsafeMethod(req.method)) await assertNotForged(services, session, 'always')
    await assertAccess(services, session, row)
    const { body, form } = await readInput(services, row, session)
    const input = { services, session, body, params: textParams(req.params), query: req.query, form }
    const outcome = await runLimited(row, input)
    putOutcomeHeaders(services, session, outcome)
    if (form) sendFormSuccess(services, { row, session, outcome })
    else sendOutcome(session, outcome)
  }
}

/** Where the store could not be asked nobody passes, not even to a flow for anyone: it would act on a guess. */
async function assertAccess(services: Services, session: RequestSession, { access }: FlowRow): Promise<void> {
  assertKnown(session)
  if (access === 'anyone') return
  assertSignedIn(services, session)
  if (access === 'admin') await assertRole(services, session, ['admin'])
  if (access === 'fresh') assertFresh(services, session, services.config.session.freshForMs)
}

async function runLimited({ flow, limit, mail }: FlowRow, input: FlowInput): Promise<Outcome> {
  const { services, session } = input
  if (limit !== undefined) await assertWithinLimit(services, session, limit)
  const recipient = mail === undefined ? null : recipientOf(mail.to, input)
  if (mail === undefined || recipient === null || (await mayMail(services, session, recipient))) return flow(input)
  return mail.answer
}

/** `null` where there is none: what is wrong with the input is for the flow to say. */
function recipientOf(to: 'body' | 'user', { session, body }: FlowInput): string | null {
  const { email } = (to === 'user' ? session.user : (body as { readonly email?: unknown })) ?? {} // readInput gives objects
  return typeof email === 'string' ? email : null
}

function putOutcomeHeaders(services: Services, { res }: RequestSession, outcome: Outcome): void {
  if (outcome.clearLink === true) clearLink(services, res)
  // Not "cookies": that would clear those of sibling sites too.
  if (outcome.clearSiteData === true) res.setHeader('Clear-Site-Data', '"cache", "storage"')
}

function sendOutcome({ res }: RequestSession, { status, body }: Outcome): void {
  if (status === 204 || body === undefined) res.status(status).end()
  else sendJson(res, status, body)
}

/** A parameter of a path is a list only under a wildcard, and no row has one. */
function textParams(params: Readonly<Record<string, string | readonly string[]>>): Readonly<Record<string, string>> {
  const entries = Object.entries(params)
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
