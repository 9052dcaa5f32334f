// Everything that flows, guards and pages share. One per `createAuth`.

import type { Config } from './config.ts'
import type { AuthEventEmitter } from './events.ts'
import type { Identity } from './identity.ts'
import type { Logger } from './logger.ts'
import type { PocketBasePort } from './pocketbase/port.ts'
import type { Sessions } from './sessions/manager.ts'
import type { Limiter } from './sessions/limiter.ts'

export interface Services {
  readonly config: Config
  readonly sessions: Sessions
  readonly pocketbase: PocketBasePort
  readonly identity: Identity
  readonly limiter: Limiter
  readonly events: AuthEventEmitter
  readonly logger: Logger
  readonly now: () => number
}
