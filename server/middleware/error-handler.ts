// The last middleware: every error becomes a problem or an error page. Nothing of what went wrong inside gets out.

import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { ProblemError } from '../errors.ts'
import type { Services } from '../services.ts'
import { logProblem } from './log-problem.ts'
import { redirectToLogin } from './login-redirect.ts'
import { requestSession, type RequestSession } from './request-session.ts'
import { putProblemHeaders, sendProblem } from './send-json.ts'
import { toProblem } from './to-problem.ts'
import { wantsPage } from './wants-page.ts'

export interface ErrorPageExtras {
  readonly status: number
  readonly message: string
}

/** Renders our error page. */
export type SendErrorPage = (
  services: Services,
  session: RequestSession,
  page: 'error' | 'not-found',
  extras: ErrorPageExtras,
) => Promise<void>

/** For what no handler has answered: 404, as a page or a problem. */
export function notFound(): RequestHandler {
  return function notFoundHandler() {
    throw new ProblemError('not_found', 'There is nothing at this address.')
  }
}

/**
 * Answers errors: problems with their code and text, everything else as 500 `internal` without a word of its own.
 * Page visitors get a page, or the way to the login page where they are not signed in.
 */
export function errorHandler(services: Services, sendPage: SendErrorPage): ErrorRequestHandler {
  // Express knows an error handler by its four parameters.
  return async function answerError(error: unknown, req, res, _next) {
    const problem = toProblem(error)
    logProblem(services.logger, problem, req)
    // The answer has begun: only breaking it off tells the other side that it is not whole.
    if (res.headersSent) return void res.destroy()
    if (!wantsPage(req)) return sendProblem(res, problem)
    if (redirectToLogin(services.config, { req, res }, problem)) return
    await sendErrorPage({ services, sendPage, problem }, req, res)
  }
}

interface PageAnswer {
  readonly services: Services
  readonly sendPage: SendErrorPage
  readonly problem: ProblemError
}

/** Where the page itself cannot be made (no session middleware, a template of the app that fails), the plain problem. */
export async function sendErrorPage(
  { services, sendPage, problem }: PageAnswer,
  req: Request,
  res: Response,
): Promise<void> {
  try {
    putProblemHeaders(res, problem)
    const page = problem.code === 'not_found' ? 'not-found' : 'error'
    await sendPage(services, requestSession(req), page, { status: problem.status, message: problem.message })
  } catch (error) {
    logProblem(services.logger, toProblem(error), req)
    if (res.headersSent) res.destroy()
    else sendProblem(res, problem)
  }
}
