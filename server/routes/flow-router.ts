// The router over a table of flows, with an answer to every method of their addresses.

import express, { type ErrorRequestHandler, type RequestHandler, type Router } from 'express'
import { ProblemError } from '../errors.ts'
import { seeOther } from '../middleware/login-redirect.ts'
import { noStore } from '../middleware/send-json.ts'
import { wantsPage } from '../middleware/wants-page.ts'
import type { Services } from '../services.ts'
import { flowHandler } from './flow-handler.ts'
import type { FlowRow } from './flow-row.ts'
import { PAGES } from './pages.ts'

/** What is mounted: the flows, and behind them the answer to their errors. Express takes the list as it is. */
export type FlowMount = (RequestHandler | ErrorRequestHandler)[]

const VERBS = { GET: 'get', POST: 'post', PATCH: 'patch', DELETE: 'delete' } as const

/** Routes for all rows. Other methods of their paths are 405 with Allow. */
export function flowRouter(services: Services, rows: readonly FlowRow[]): Router {
  const router = express.Router()
  // Path by path: what is fixed (`/sessions/revoke-others`) must not be taken for a parameter of a later row.
  for (const path of pathsOf(rows)) {
    const own = rows.filter((row) => row.path === path)
    for (const row of own) router[VERBS[row.method]](path, flowHandler(services, row))
    router.all(path, otherMethod(own))
  }
  return router
}

/** Every path of the table once. */
export function pathsOf(rows: readonly FlowRow[]): readonly string[] {
  return [...new Set(rows.map((row) => row.path))]
}

function otherMethod(rows: readonly FlowRow[]): RequestHandler {
  const methods = new Set(rows.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))
  const allow = [...methods].join(', ')
  const page = rows.find((row) => row.access === 'anyone' && row.form !== undefined)?.form?.page
  const path = page === undefined ? null : PAGES[page].path
  return function otherMethodHandler(req, res) {
    noStore(res)
    // A form that failed stands under the address it was sent to; whoever loads that again wants the form.
    if (req.method === 'GET' && path !== null && wantsPage(req)) return seeOther(res, path)
    throw new ProblemError('method_not_allowed', `Use ${allow} here.`, { allow })
  }
}
