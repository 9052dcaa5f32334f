// The complete app of `npm start`: security headers, health, sessions, flows and pages.

import cookieParser from 'cookie-parser'
import express from 'express'
import { authKit } from './create-auth.ts'
import { healthRouter } from './routes/health.ts'
import { notFound } from './middleware/error-handler.ts'
import { requestLog } from './middleware/request-log.ts'
import { AUTH_MOUNT } from './routes/mount.ts'
import { assetsRouter } from './routes/pages.ts'
import type { Express } from 'express'
import type { OwnedServices } from './create-services.ts'

export interface AppOptions {
  /** Whether the server is going down: from then on it is not ready. */
  readonly isClosing?: () => boolean
}

/** The app over its services. Whoever listens also closes the services. */
export function createApp(services: OwnedServices, options: AppOptions = {}): Express {
  const { config } = services
  const auth = authKit(services)
  const app = express()
  app.disable('x-powered-by')
  app.set('trust proxy', config.trustProxy)
  app.use(auth.securityHeaders())
  app.use('/health', healthRouter(services, options))
  app.use(requestLog(services))
  // Files that are the same for everybody need no session.
  app.use(assetsRouter())
  app.use(auth.session())
  app.use(cookieParser([...config.secrets]))
  app.use(auth.csrf())
  app.use(AUTH_MOUNT, auth.routes())
  app.use(auth.pages({ home: true }))
  app.use(notFound())
  app.use(auth.errorHandler())
  return app
}
