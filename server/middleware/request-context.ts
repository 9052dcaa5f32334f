// The session of one request, as it changes while the request runs.

import { inspect } from 'node:util'
import { isIP } from 'node:net'
import type { Request, Response } from 'express'
import type { UserRecord } from '../config.ts'
import { StoreUnavailableError, ProblemError, UsageError } from '../errors.ts'
import type { Client } from '../pocketbase/port.ts'
import type { CookieReading } from '../sessions/cookie.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import type { EndReason } from '../sessions/reasons.ts'
import { holdHooks } from './commit.ts'
import { Hold } from './hold.ts'
import { clearPreCookie } from './pre-cookie.ts'
import { REQUEST_SESSION, type CookieState, type RequestSession } from './request-session.ts'
import type { SessionKit } from './session-kit.ts'
import { Writes } from './writes.ts'

/** `renew`: the id that the browser has, under a newer secret. */
export type CookieChange = 'none' | 'put' | 'renew' | 'clear'

export class RequestContext implements RequestSession {
  readonly req: Request
  readonly res: Response
  readonly kit: SessionKit
  readonly cookieState: CookieState
  /** Whether `req.session` has been touched. */
  started = false
  /** What the answer says about the session cookie. */
  cookieChange: CookieChange = 'none'
  /** The session that `regenerate` has given up, until the new one is written. */
  regeneratedFrom: LiveSession | null = null
  #state: RequestSession['state'] = 'anonymous'
  #session: LiveSession | null = null
  #ended: RequestSession['ended'] = null
  #error: ProblemError | null = null
  #stale = false
  #client: Client | undefined
  /** Not a public field: a dump of the request must not show it. */
  readonly #cookieId: string | null
  readonly #hold: Hold
  #writes: Writes | undefined

  constructor(kit: SessionKit, req: Request, reading: CookieReading) {
    this.kit = kit
    this.req = req
    this.res = responseOf(req)
    this.#hold = new Hold(this.res)
    this.cookieState = reading.state
    this.#cookieId = reading.state === 'valid' ? reading.id : null
  }

  get state(): RequestSession['state'] {
    return this.#state
  }

  get cookieId(): string | null {
    return this.#cookieId
  }

  get session(): LiveSession | null {
    return this.#session
  }

  get ended(): RequestSession['ended'] {
    return this.#ended
  }

  get error(): ProblemError | null {
    return this.#error
  }

  get user(): UserRecord | null {
    return this.#session?.user<UserRecord>() ?? null
  }

  get stale(): boolean {
    return this.#stale
  }

  get client(): Client {
    this.#client ??= { ip: addressOf(this.req), userAgent: this.req.headers['user-agent'] ?? '' }
    return this.#client
  }

  unsaved(): ReadonlyMap<string, unknown> {
    return this.started ? this.kit.engine.unsaved(this) : new Map()
  }

  get writes(): Writes {
    this.#writes ??= new Writes()
    return this.#writes
  }

  /** Whether a cookie can no longer be sent. */
  get isSent(): boolean {
    return this.#hold.isOpen
  }

  /** The cookie named a live session. */
  found(session: LiveSession): void {
    this.#session = session
    this.#state = 'live'
  }

  /** The cookie named a session that has ended. */
  foundEnded(reason: EndReason, endedAt: number): void {
    this.#session = null
    this.#state = 'ended'
    this.#ended = { reason, endedAt }
  }

  /** The store could not be asked: unknown is not anonymous. */
  failed(error: unknown): void {
    this.#state = 'unknown'
    this.#error = error instanceof ProblemError ? error : new StoreUnavailableError(error)
  }

  adopt(session: LiveSession): void {
    if (this.isSent)
      throw new UsageError('The headers have left: a session can only be given to a request before its answer begins.')
    this.wrote(session)
    this.writes.forget()
    clearPreCookie(this.kit.services, this.req, this.res)
    if (this.started) this.kit.engine.reread(this)
  }

  drop(reason: EndReason, options: { readonly keepCookie?: boolean } = {}): void {
    this.gaveUp(reason, options)
    this.writes.forget()
    if (this.started) this.kit.engine.reread(this)
  }

  setStale(stale: boolean): void {
    this.#stale = stale
  }

  /** The row of `session` has been written, and the browser is to get its cookie. */
  wrote(session: LiveSession): void {
    this.#session = session
    this.#state = 'live'
    this.#ended = null
    this.#stale = false
    this.regeneratedFrom = null
    this.changeCookie('put')
  }

  /** The session of this request has ended. `req.session` is left as it is. */
  gaveUp(reason: EndReason, { keepCookie = false }: { readonly keepCookie?: boolean } = {}): void {
    this.foundEnded(reason, this.kit.services.now())
    this.regeneratedFrom = null
    this.changeCookie(keepCookie ? 'none' : 'clear')
  }

  changeCookie(change: CookieChange): void {
    this.cookieChange = change
    if (change !== 'none') this.hold()
  }

  /** What may be logged of it: never the request, whose raw headers hold the cookie. */
  toJSON(): object {
    return { state: this.#state, session: this.#session }
  }

  [inspect.custom](): object {
    return this.toJSON()
  }

  /** From here on the answer waits for what the request changes. */
  hold(): void {
    this.#hold.arm(holdHooks(this))
  }
}

/** The context that `session()` has given to a request. */
export function contextOf(req: object): RequestContext | undefined {
  const found: unknown = Reflect.get(req, REQUEST_SESSION)
  return found instanceof RequestContext ? found : undefined
}

/** Empty where what a proxy has handed on is no address: it goes into events, counters and upstream headers. */
function addressOf({ ip = '' }: Request): string {
  return isIP(ip) === 0 ? '' : ip
}

function responseOf(req: Request): Response {
  if (req.res === undefined) throw new UsageError('session() needs the request of an Express app')
  return req.res
}
