// JSON answers and problems (RFC 9457). Never cached, never turned into a 304.

import { STATUS_CODES } from 'node:http'
import type { Response } from 'express'
import type { ProblemError } from '../errors.ts'

/** No cache, shared or private, may keep the answer. */
export function noStore(res: Response): void {
  res.setHeader('Cache-Control', 'no-store')
}

export function sendJson(res: Response, status: number, body: object): void {
  send(res, { status, body, type: 'application/json' })
}

/** Sends what the caller may know of a problem, and Retry-After and Allow where it has them. */
export function sendProblem(res: Response, problem: ProblemError): void {
  putProblemHeaders(res, problem)
  const { status, code, message, reason, errors } = problem
  const body = { type: 'about:blank', title: STATUS_CODES[status], status, detail: message, code, reason, errors }
  send(res, { status, body, type: 'application/problem+json' })
}

/** The headers of a problem, for answers that are pages too. */
export function putProblemHeaders(res: Response, problem: ProblemError): void {
  noStore(res)
  if (problem.retryAfter !== undefined) res.setHeader('Retry-After', String(problem.retryAfter))
  if (problem.allow !== undefined) res.setHeader('Allow', problem.allow)
}

function send(res: Response, answer: { readonly status: number; readonly body: object; readonly type: string }): void {
  const bytes = Buffer.from(JSON.stringify(answer.body))
  noStore(res)
  res.status(answer.status)
  res.setHeader('Content-Type', answer.type)
  res.setHeader('Content-Length', bytes.length)
  res.end(bytes)
}
