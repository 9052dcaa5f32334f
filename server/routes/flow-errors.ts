// Answers errors of flows, and of what stood before them (`csrf()`): a problem, or for a form its page again.

import express, { type ErrorRequestHandler, type Request, type Response } from 'express'
import { UNKNOWN_FIELD } from '../controllers/parse-input.ts'
import { mediaKind } from '../lib/media-kind.ts'
import { sendErrorPage } from '../middleware/error-handler.ts'
import { logProblem } from '../middleware/log-problem.ts'
import { requestSession } from '../middleware/request-session.ts'
import { sendProblem } from '../middleware/send-json.ts'
import { toProblem } from '../middleware/to-problem.ts'
import { wantsPage } from '../middleware/wants-page.ts'
import type { ProblemError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { FlowRow } from './flow-row.ts'
import { pathsOf } from './flow-router.ts'
import { sendFormFailure } from './form-answer.ts'
import { sendPage } from './pages.ts'

const MAX_NAME = 60
const MAX_PATH = 200

/** An error handler for the paths of the rows; what comes from elsewhere below the mount path is passed on. */
export function flowErrors(services: Services, rows: readonly FlowRow[]): ErrorRequestHandler {
  const pending = new WeakMap<Request, unknown>()
  // A second router finds the row: an error from before the first one has met none yet.
  const router = express.Router()
  for (const path of pathsOf(rows)) {
    router.all(path, (req, res) => {
      const problem = toProblem(pending.get(req))
      const row = rows.find((each) => each.path === path && each.method === req.method)
      return answerFailure({ services, row, problem }, req, res)
    })
  }
  // Express knows an error handler by its four parameters.
  return function answerFlowError(error: unknown, req, res, next) {
    pending.set(req, error)
    router(req, res, (failed?: unknown) => next(failed ?? error))
  }
}

interface Failure {
  readonly services: Services
  readonly row: FlowRow | undefined
  readonly problem: ProblemError
}

async function answerFailure({ services, row, problem }: Failure, req: Request, res: Response): Promise<void> {
  logProblem(services.logger, problem, req)
  reportInvalid(services, problem, req)
  // The answer has begun: only breaking it off tells the other side that it is not whole.
  if (res.headersSent) return void res.destroy()
  // Forms of browsers alone get pages; a script that sends JSON gets JSON, whatever it accepts.
  if (mediaKind(req.headers['content-type']) !== 'form' || !wantsPage(req)) return sendProblem(res, problem)
  try {
    if (row !== undefined && (await sendFormFailure(services, requestSession(req), { row, problem }))) return
    await sendErrorPage({ services, sendPage, problem }, req, res)
  } catch (error) {
    await sendErrorPage({ services, sendPage, problem: toProblem(error) }, req, res)
  }
}

/**
 * Which fields were wrong, by name; what stood in them is nobody's business. Nor are names that no flow has: a body of the
 * wrong type has passwords in the place of names.
 */
function reportInvalid({ events }: Services, { code, errors = {} }: ProblemError, req: Request): void {
  if (code !== 'invalid_input') return
  const names = Object.entries(errors).map(([name, message]) => (message === UNKNOWN_FIELD ? 'unknown' : name))
  const fields = [...new Set(names)].map((name) => name.slice(0, MAX_NAME))
  events.emit('input_validation_fail', { path: `${req.baseUrl}${req.path}`.slice(0, MAX_PATH), fields })
}
