// Answers to plain HTML forms: on to the next page, or the form again with what was typed and what is wrong.

import type { Outcome } from '../controllers/flow.ts'
import type { ProblemCode, ProblemError } from '../errors.ts'
import { clearLink } from '../middleware/link-cookie.ts'
import { redirectToLogin, seeOther } from '../middleware/login-redirect.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import { returnTarget } from '../middleware/return-target.ts'
import { putProblemHeaders } from '../middleware/send-json.ts'
import type { Services } from '../services.ts'
import type { FlowRow, FormRow, FormTarget } from './flow-row.ts'
import { PAGES, sendPage } from './pages.ts'

export interface FormSuccess {
  readonly row: FlowRow
  readonly session: RequestSession
  readonly outcome: Outcome
}

/** What is wrong with the form itself, so that it makes sense to show it again. */
const SHOWN_AGAIN: ReadonlySet<ProblemCode> = new Set([
  'csrf_failed',
  'forbidden',
  'invalid_credentials',
  'invalid_input',
  'invalid_token',
  'mfa_required',
  'rate_limited',
  'reauth_required',
])

/** 303 to where the form wanted to go, else to where its row leads, with the notice that the flow gave. */
export function sendFormSuccess({ config }: Services, { row, session, outcome }: FormSuccess): void {
  // A page that needs a user would only lead to the login page, and the notice would be lost on the way.
  const wanted = session.user === null ? '' : returnTarget(config, formField(session, 'returnTo'), '')
  const target = wanted === '' && row.form !== undefined ? pathOf(config, targetOf(row.form, session)) : wanted
  const shown = wanted === '' || isOwnPage(wanted) ? outcome.notice : undefined
  seeOther(session.res, withNotice(target || config.paths.afterLogin, shown))
}

/**
 * Shows a form again after a failure, with the error's status. Visitors who had to be signed in are sent to the login page
 * and from there to the form's page. Answers whether it did: other errors are left to the caller.
 */
export async function sendFormFailure(
  services: Services,
  session: RequestSession,
  { row, problem }: { readonly row: FlowRow; readonly problem: ProblemError },
): Promise<boolean> {
  const { form } = row
  if (form === undefined || session.res.headersSent || session.state === 'unknown') return false
  const { req, res } = session
  const { path } = PAGES[form.page]
  if (redirectToLogin(services.config, { req, res, ...(path === null ? {} : { returnTo: path }) }, problem)) return true
  if (!SHOWN_AGAIN.has(problem.code)) return false
  // Signed out since the form was loaded: its page cannot be shown, and is offered anew behind the login page.
  if (row.access !== 'anyone' && session.user === null) return false
  const { status, message, errors } = problem
  if (problem.code === 'invalid_token') clearLink(services, res)
  putProblemHeaders(res, problem)
  const shown = errors === undefined ? { message } : { message, errors }
  await sendPage(services, session, form.page, { status, values: typedValues(session), ...shown })
  return true
}

function targetOf(form: FormRow, session: RequestSession): FormTarget {
  return typeof form.to === 'function' ? form.to(session) : form.to
}

function pathOf({ paths }: Services['config'], target: FormTarget): string {
  return typeof target === 'string' ? paths[target] : (PAGES[target.page].path ?? paths.afterLogin)
}

/** Notices are shown by our pages; an app's own page knows nothing of them. */
function isOwnPage(target: string): boolean {
  const [path = ''] = target.split(/[?#]/)
  return Object.values(PAGES).some((page) => page.path === path)
}

function withNotice(target: string, notice: string | undefined): string {
  if (notice === undefined) return target
  const [address = '', ...fragment] = target.split('#')
  const separator = address.includes('?') ? '&' : '?'
  return [`${address}${separator}notice=${encodeURIComponent(notice)}`, ...fragment].join('#')
}

/** What was typed, for the form to be shown again. Never a password, a token or our own fields. */
function typedValues({ req }: RequestSession): Readonly<Record<string, string>> {
  const fields: [string, unknown][] = Object.entries((req.body ?? {}) as object) // a parsed form
  const kept = fields.filter((field): field is [string, string] => typeof field[1] === 'string' && !isSecret(field[0]))
  return Object.fromEntries(kept)
}

function isSecret(name: string): boolean {
  return /passw|token|secret|code|_csrf/i.test(name)
}

function formField({ req }: RequestSession, name: string): unknown {
  return (req.body as Readonly<Record<string, unknown>> | undefined)?.[name] // a parsed form
}
