// Answers a request in place of its handler, where no error handler of the app can be reached any more.

import type { Request, Response } from 'express'
import type { ProblemError } from '../errors.ts'
import { putProblemHeaders, sendProblem } from './send-json.ts'
import { wantsPage } from './wants-page.ts'

/** What a handler has said about the answer that is not sent. */
const OF_THE_ANSWER = [
  'Accept-Ranges',
  'Clear-Site-Data',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Location',
  'Content-Range',
  'Content-Type',
  'ETag',
  'Expires',
  'Last-Modified',
  'Link',
  'Location',
  'Refresh',
  'Set-Cookie',
  'Trailer',
  'Transfer-Encoding',
]

/** Sends a problem, or a plain page to somebody who looks at pages. No cookie goes with it. */
export function sendRefusal(req: Request, res: Response, problem: ProblemError): void {
  for (const name of OF_THE_ANSWER) res.removeHeader(name)
  res.statusMessage = ''
  if (wantsPage(req)) sendPlainPage(res, problem)
  else sendProblem(res, problem)
}

/** Not a template: it has to work without anything else that could fail. */
function sendPlainPage(res: Response, problem: ProblemError): void {
  const text = escapeHtml(problem.message)
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${text}</title><h1>${text}</h1></html>\n`
  putProblemHeaders(res, problem)
  res.status(problem.status)
  res.setHeader('Content-Type', 'text/html; charset=utf-8')
  res.setHeader('Content-Length', Buffer.byteLength(html))
  res.end(html)
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
