// One line for each request, by allow-list: a query holds tokens of mail links, a header holds cookies.

import type { RequestHandler } from 'express'
import type { Services } from '../services.ts'

const MAX_PATH = 200

/** Logs method, path without query, status and duration when the answer is done, or the client has gone. */
export function requestLog({ logger, now }: Pick<Services, 'logger' | 'now'>): RequestHandler {
  return function requestLogMiddleware(req, res, next) {
    const started = now()
    const [path = ''] = req.originalUrl.split('?', 1)
    res.once('close', () => {
      const entry = { method: req.method, path: path.slice(0, MAX_PATH), status: res.statusCode, ms: now() - started }
      logger.info(res.writableFinished ? entry : { ...entry, aborted: true }, 'request')
    })
    next()
  }
}
