// What signing in and out needs of the services.

import type { Config } from '../config.ts'
import type { AuthEventEmitter } from '../events.ts'
import type { Logger } from '../logger.ts'
import type { PocketBasePort } from '../pocketbase/port.ts'
import type { Limiter } from '../sessions/limiter.ts'
import type { Sessions } from '../sessions/manager.ts'

export interface IdentityServices {
  readonly config: Config
  readonly sessions: Sessions
  readonly pocketbase: PocketBasePort
  readonly limiter: Limiter
  readonly events: AuthEventEmitter
  readonly logger: Logger
  readonly now: () => number
}
