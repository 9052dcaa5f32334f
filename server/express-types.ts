// What handlers see on a request. Agrees with @types/express-session and @types/passport: an app may have both.

import type PocketBase from 'pocketbase'
import type { UserRecord } from './config.ts'

/** Fields of `req.session`: declare your own by `declare module 'express-session' { interface SessionData { … } }`. */
export type { SessionData } from 'express-session'

/** The session of a signed-in request. Times are epoch milliseconds. */
export interface AuthSession {
  /** The public handle, safe to show and to log; never the cookie's value. */
  readonly id: string
  readonly createdAt: number
  /** Absolute deadline. */
  readonly expiresAt: number
  readonly idleExpiresAt: number
  /** When the user last proved who they are. */
  readonly authTime: number
  /** How they did (RFC 8176), `['pwd']`. */
  readonly amr: readonly string[]
}

/** `req.auth` of a signed-in request. */
export interface AuthContext {
  /** The PocketBase record, frozen. Nothing that other middleware assigns to `req.user` gets here. */
  readonly user: UserRecord
  readonly session: AuthSession
  /** PocketBase could not confirm the session in time; `user` is what it said last. */
  readonly stale: boolean
  /** An SDK client of this request alone, carrying this user's token. */
  pocketbase(): PocketBase
}

declare global {
  namespace Express {
    interface User extends UserRecord {}

    interface Request {
      /** The signed-in user. Reading it throws the error of a 503 while the session store cannot be asked. */
      user?: User | undefined
      /** `null` without a signed-in user. Reading it throws the error of a 503 while the session store cannot be asked. */
      auth?: AuthContext | null
    }
  }
}
