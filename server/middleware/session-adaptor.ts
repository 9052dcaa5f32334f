// The store that express-session is given: its calls, mapped to the session manager.
// It never revives a row. `regenerate` writes nothing; the save that follows is one atomic replace.

import { Session, Store, type SessionData } from 'express-session'
import type { Request } from 'express'
import { SessionGoneError, UsageError } from '../errors.ts'
import { andThen, isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import { SealBrokenError, type LiveSession } from '../sessions/live-session.ts'
import { cookieMaxAgeMs } from '../sessions/policy.ts'
import { isSessionId } from '../sessions/session-id.ts'
import { answerCallback } from './answer-callback.ts'
import { contextOf, type RequestContext } from './request-context.ts'
import type { SessionServices } from './session-kit.ts'
import { SessionWriter } from './session-writer.ts'
import { fieldTexts, lifetimeOf, type TrackedSession } from './tracked-session.ts'

type Callback = (error?: unknown) => void
type Generate = (req: Request) => void

export class SessionAdaptor extends Store {
  readonly #services: SessionServices
  readonly #writer: SessionWriter
  readonly #tracked = new WeakMap<object, TrackedSession>()
  /** Rows behind the data that `get` hands out, until express-session makes a Session of it. */
  readonly #rows = new WeakMap<object, LiveSession>()
  /** express-session's own: it makes the Session and its cookie. */
  #generateSession: Generate = () => {}

  constructor(services: SessionServices) {
    super()
    this.#services = services
    this.#writer = new SessionWriter(services)
  }

  /** express-session assigns its function to the store, so a method would be lost. */
  get generate(): Generate {
    return (req) => this.#begin(req)
  }

  set generate(generate: Generate) {
    this.#generateSession = generate
  }

  track(session: object): TrackedSession | undefined {
    return session instanceof Session ? this.#tracked.get(session) : undefined
  }

  save(context: RequestContext, session: object): MaybePromise<void> {
    const tracked = this.track(session)
    if (tracked === undefined) {
      throw new UsageError(
        'req.session was replaced by something else. Set its fields, or call req.session.regenerate().',
      )
    }
    return this.#writer.write({ context, session, tracked, explicit: false })
  }

  /** Ends the session that an object stands for. */
  end(context: RequestContext, tracked: Pick<TrackedSession, 'live' | 'replaces'>): MaybePromise<void> {
    const live = tracked.live ?? tracked.replaces
    if (live === null) return
    return andThen(
      context.writes.run('end', () => this.#services.sessions.end(live, 'logout')),
      (ended) => {
        if (context.session?.record.key !== live.record.key) return
        // It may have been ended by somebody else, and the browser's cookie be a newer one by now.
        context.gaveUp('logout', { keepCookie: ended === 0 })
      },
    )
  }

  override get(sid: string, callback: (error: unknown, data?: SessionData | null) => void): void {
    answerCallback(callback, () =>
      andThen(isSessionId(sid) ? this.#services.sessions.find(sid) : undefined, (found) =>
        found?.live === undefined ? null : this.#dataOf(found.live),
      ),
    )
  }

  override set(sid: string, session: SessionData, callback?: Callback): void {
    const tracked = this.track(session)
    answerCallback(callback, () => {
      if (tracked?.id !== sid) return this.#mergeForeign(sid, session)
      return this.#writer.write({ context: contextOfSession(session), session, tracked, explicit: true })
    })
  }

  override destroy(sid: string, callback?: Callback): void {
    answerCallback(callback, () =>
      andThen(isSessionId(sid) ? this.#services.sessions.find(sid) : undefined, (found) =>
        found?.live === undefined ? 0 : this.#services.sessions.end(found.live, 'logout'),
      ),
    )
  }

  override touch(_sid: string, session: SessionData, callback?: Callback): void {
    const live = this.track(session)?.live
    if (live !== undefined && live !== null) this.#services.sessions.touch(live)
    answerCallback(callback, () => undefined)
  }

  override regenerate(req: Request, callback?: Callback): void {
    const context = contextOf(req)
    this.#generateNew(req, context?.regeneratedFrom ?? context?.session ?? null)
    answerCallback(callback, () => undefined)
  }

  override createSession(req: Request, data: SessionData): Session & SessionData {
    const live = this.#rows.get(data) ?? null
    const session = super.createSession(req, data)
    this.#note(session, { id: req.sessionID, live, replaces: null })
    const context = contextOf(req)
    if (live !== null && context?.session?.id === live.id) context.found(live)
    return session
  }

  /** The session of a request that touches `req.session` for the first time, or whose session has changed. */
  #begin(req: Request): void {
    const live = contextOf(req)?.session ?? null
    if (live === null || !this.#inflate(req, live)) this.#generateNew(req, null)
  }

  #inflate(req: Request, live: LiveSession): boolean {
    try {
      const data = this.#dataOf(live)
      req.sessionID = live.id
      this.createSession(req, data)
      return true
    } catch (error) {
      if (!(error instanceof SealBrokenError)) throw error
      this.#endDamaged(req, live, error.field)
      return false
    }
  }

  #generateNew(req: Request, replaces: LiveSession | null): void {
    this.#generateSession(req)
    const context = contextOf(req)
    if (context !== undefined) context.regeneratedFrom = replaces
    this.#note(req.session, { id: req.sessionID, live: null, replaces })
  }

  #note(session: Session, known: Pick<TrackedSession, 'id' | 'live' | 'replaces'>): void {
    const lifetimeMs = lifetimeOf(session, null)
    const tracked = { ...known, saved: fieldTexts(known.live === null ? {} : session), lifetimeMs, writing: null }
    this.#tracked.set(session, tracked)
    const destroy = (callback?: Callback) => this.#destroy(session, tracked, callback)
    Object.defineProperty(session, 'destroy', { configurable: true, writable: true, value: destroy })
  }

  /** As express-session's, but knows the request: its cookie goes with the session. */
  #destroy(session: Session, tracked: TrackedSession, callback: Callback | undefined): Session {
    const req: unknown = Reflect.get(session, 'req')
    if (typeof req === 'object' && req !== null) Reflect.deleteProperty(req, 'session')
    const context = contextOfSession(session)
    if (context === undefined) this.destroy(tracked.id, callback)
    else answerCallback(callback, () => this.end(context, tracked))
    return session
  }

  #dataOf(live: LiveSession): SessionData {
    const data = live.data()
    const { secure, sameSite } = this.#services.config.cookie
    const maxAge = cookieMaxAgeMs(live.record, this.#services.now())
    data['cookie'] = { path: '/', httpOnly: true, secure, sameSite, maxAge, originalMaxAge: maxAge }
    this.#rows.set(data, live)
    return data as unknown as SessionData // the fields of a session, and what Cookie is made of
  }

  /** `req.sessionStore.set(sid, data)` by the app itself: merged into a live row, never a new one under an id of its choice. */
  #mergeForeign(sid: string, session: object): MaybePromise<void> {
    return andThen(isSessionId(sid) ? this.#services.sessions.find(sid) : undefined, (found) => {
      if (found?.live === undefined) throw new SessionGoneError(found?.ended.reason)
      const { live } = found
      const saved = fieldTexts(live.data())
      const lifetimeMs = cookieMaxAgeMs(live.record, this.#services.now())
      const tracked = { id: sid, live, replaces: null, saved, lifetimeMs, writing: null }
      return this.#writer.write({ context: undefined, session, tracked, explicit: true })
    })
  }

  #endDamaged(req: Request, live: LiveSession, field: string): void {
    const context = contextOf(req)
    const { handle: session, userId } = live.record
    this.#services.events.emit('crypt_decrypt_fail', { session, userId, field })
    const ending = context?.writes.run('end', () => this.#services.sessions.end(live, 'damaged'))
    // The hold waits for it and answers 503 where it fails.
    if (isPromise(ending)) ending.catch(() => undefined)
    context?.gaveUp('damaged')
  }
}

function contextOfSession(session: object): RequestContext | undefined {
  const req: unknown = Reflect.get(session, 'req')
  return typeof req === 'object' && req !== null ? contextOf(req) : undefined
}
