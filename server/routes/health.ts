// Answers for whoever watches the server: is it alive, may it get requests.

import express from 'express'
import { sendJson } from '../middleware/send-json.ts'
import type { Router } from 'express'
import type { Services } from '../services.ts'

export interface HealthOptions {
  readonly isClosing?: () => boolean
}

/**
 * `live`: the process answers. `ready`: it is not going down and the session store answers; without the store nobody can
 * be recognised, while an outage of PocketBase leaves those who are signed in at work.
 */
export function healthRouter({ sessions }: Pick<Services, 'sessions'>, options: HealthOptions): Router {
  const router = express.Router()
  router.get('/live', (_req, res) => {
    sendJson(res, 200, { status: 'ok' })
  })
  router.get('/ready', async (_req, res) => {
    const status = options.isClosing?.() === true ? 'closing' : await storeStatus(sessions)
    sendJson(res, status === 'ok' ? 200 : 503, { status })
  })
  return router
}

async function storeStatus(sessions: Services['sessions']): Promise<'ok' | 'store_unavailable'> {
  try {
    await sessions.ping()
    return 'ok'
  } catch {
    // The guarded store has reported why.
    return 'store_unavailable'
  }
}
