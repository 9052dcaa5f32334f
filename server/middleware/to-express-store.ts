// A store for apps that mount express-session by themselves.

import { hash } from 'node:crypto'
import { Store, type Session, type SessionData } from 'express-session'
import type { Request } from 'express'
import { SessionGoneError } from '../errors.ts'
import { andThen, isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import { dataField, type LiveSession } from '../sessions/live-session.ts'
import { Sessions, type Found } from '../sessions/manager.ts'
import { idleDeadline } from '../sessions/policy.ts'
import { Secrets } from '../sessions/secrets.ts'
import type { Store as SessionStore } from '../sessions/store.ts'
import { systemClock } from '../system-clock.ts'
import { answerCallback } from './answer-callback.ts'
import { lifetimeOf } from './tracked-session.ts'

export interface ExpressStoreOptions {
  /** One or more secrets of at least 32 bytes, newest first; what is kept is sealed with them. May be those of express-session. */
  readonly secret: string | readonly string[]
  /** Idle timeout in milliseconds where the cookie has no `maxAge`. Default 2 hours. */
  readonly idleTimeoutMs?: number
  /** No session lives longer, in milliseconds. Default 30 days. */
  readonly absoluteTimeoutMs?: number
  /** A session's use is noted at most this often, in milliseconds. Default one minute. */
  readonly touchIntervalMs?: number
  /** Deadline of a call in milliseconds. Default 2000. */
  readonly timeoutMs?: number
  /** The clock, epoch milliseconds. */
  readonly now?: () => number
}

const MIN_SECRET_BYTES = 32
const HOUR_MS = 3_600_000
/** Two requests that save a new session at once: one creates, the other merges. */
const SAVE_TRIES = 2
const NOTHING: ReadonlyMap<string, string> = new Map()

type Callback = (error?: unknown) => void

/**
 * Makes an express-session store of one of ours. A session that was destroyed stays dead: a slower request that saves it
 * gets an error instead of reviving it, and requests that change different fields do not undo each other. What
 * express-session itself does stays as it is: it answers before a save is done, and takes a store that fails for its own error.
 * @throws TypeError for a secret of less than 32 bytes
 * @example
 * app.use(expressSession({ store: toExpressStore(store, { secret }), secret, resave: false, saveUninitialized: false }))
 */
export function toExpressStore(store: SessionStore, options: ExpressStoreOptions): Store {
  return new ExpressStore(store, options)
}

class ExpressStore extends Store {
  readonly #sessions: Sessions
  readonly #now: () => number
  readonly #store: SessionStore
  /** JSON of each field as a request has found it: only what it has changed itself is written. */
  readonly #found = new WeakMap<object, ReadonlyMap<string, string>>()
  #opened: MaybePromise<void> | null = null

  constructor(store: SessionStore, options: ExpressStoreOptions) {
    super()
    this.#store = store
    this.#now = options.now ?? systemClock
    this.#sessions = openSessions(store, { ...options, now: this.#now })
  }

  override get(sid: string, callback: (error: unknown, data?: SessionData | null) => void): void {
    answerCallback(callback, () =>
      andThen(this.#find(sid), (found) => (found?.live === undefined ? null : sessionData(found.live))),
    )
  }

  override createSession(req: Request, data: SessionData): Session & SessionData {
    const session = super.createSession(req, data)
    this.#found.set(session, textsOf(session))
    return session
  }

  override set(sid: string, session: SessionData, callback?: Callback): void {
    answerCallback(callback, () => this.#save(sid, session, SAVE_TRIES))
  }

  override touch(sid: string, _session: SessionData, callback?: Callback): void {
    answerCallback(callback, () =>
      andThen(this.#find(sid), (found) => {
        if (found?.live !== undefined) this.#sessions.touch(found.live)
      }),
    )
  }

  override destroy(sid: string, callback?: Callback): void {
    answerCallback(callback, () =>
      andThen(this.#find(sid), (found) => (found?.live === undefined ? 0 : this.#sessions.end(found.live, 'logout'))),
    )
  }

  #save(sid: string, session: SessionData, tries: number): MaybePromise<void> {
    return andThen(this.#find(sid), (found) => {
      if (found?.live !== undefined) return this.#merge(found.live, session)
      if (found !== undefined) throw new SessionGoneError(found.ended.reason)
      const created = this.#create(sid, session)
      // The key may have been taken since it was looked for.
      return isPromise(created) && tries > 1 ? created.catch(() => this.#save(sid, session, tries - 1)) : created
    })
  }

  #create(sid: string, session: SessionData): MaybePromise<void> {
    const cookie = lifetimeOf(session, null)
    const draft = { data: { ...session }, signedIn: null, remembered: false, device: '', ip: '', cookie }
    return andThen(this.#sessions.create({ ...draft, id: idOf(sid) }), () => {
      this.#found.set(session, textsOf(session))
    })
  }

  #merge(live: LiveSession, session: SessionData): MaybePromise<void> {
    const [before, after] = [this.#found.get(session) ?? NOTHING, textsOf(session)]
    const changed = [...after].filter(([name, text]) => before.get(name) !== text)
    const set = Object.fromEntries(changed.map(([name]) => [dataField(name), Reflect.get(session, name) as unknown]))
    const unset = [...before.keys()].filter((name) => !after.has(name)).map(dataField)
    const now = this.#now()
    const record = { ...live.record, cookie: lifetimeOf(session, null) }
    const idleExpiresAt = idleDeadline(this.#sessions.policy, record, now)
    const columns = { cookie: record.cookie, lastSeenAt: now, idleExpiresAt }
    return andThen(this.#sessions.update(live, { set, unset, columns }), (result) => {
      if (result !== 'ok') throw new SessionGoneError()
      this.#found.set(session, after)
    })
  }

  #find(sid: string): MaybePromise<Found> {
    return andThen(this.#open(), () => this.#sessions.find(idOf(sid)))
  }

  /** Opens the store with the first call; where that fails, the next call tries again. */
  #open(): MaybePromise<void> {
    if (this.#opened !== null) return this.#opened
    const opened = this.#store.open()
    this.#opened = isPromise(opened)
      ? opened.catch((error: unknown) => {
          this.#opened = null
          throw error
        })
      : undefined
    return this.#opened
  }
}

function openSessions(store: SessionStore, options: ExpressStoreOptions & { readonly now: () => number }): Sessions {
  const secrets = [options.secret].flat()
  if (secrets.length === 0 || secrets.some((secret) => Buffer.byteLength(secret) < MIN_SECRET_BYTES)) {
    throw new TypeError(`toExpressStore needs a secret of at least ${MIN_SECRET_BYTES} bytes`)
  }
  const idleTimeoutMs = options.idleTimeoutMs ?? 2 * HOUR_MS
  const absoluteTimeoutMs = options.absoluteTimeoutMs ?? 30 * 24 * HOUR_MS
  const remembered = { rememberIdleTimeoutMs: idleTimeoutMs, rememberAbsoluteTimeoutMs: absoluteTimeoutMs }
  const touch = { touchIntervalMs: options.touchIntervalMs ?? 60_000, freshForMs: 0, maxPerUser: 1 }
  return new Sessions({
    store,
    secrets: new Secrets(secrets),
    policy: { idleTimeoutMs, absoluteTimeoutMs, ...remembered, ...touch },
    cookieName: '',
    timeoutMs: options.timeoutMs ?? 2000,
    now: options.now,
    report: () => {}, // express-session has its own ways to tell
  })
}

/** express-session lets apps choose ids of any form; ours have one. It cannot be turned back, as little as a key. */
function idOf(sid: string): string {
  return hash('sha512', sid, 'base64url').slice(0, 46)
}

/** The lifetime of the cookie runs with the idle timeout, which a use without a save has moved on. */
function sessionData(live: LiveSession): SessionData {
  const data = live.data()
  const { cookie } = live.record
  const kept = data['cookie']
  const expires = cookie === null ? undefined : new Date(live.record.idleExpiresAt)
  data['cookie'] = { ...(typeof kept === 'object' ? kept : {}), originalMaxAge: cookie, ...(expires && { expires }) }
  return data as unknown as SessionData // as it was given to `set`
}

function textsOf(session: object): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const name of Object.keys(session)) {
    const text: string | undefined = JSON.stringify(Reflect.get(session, name))
    if (text !== undefined) texts.set(name, text)
  }
  return texts
}
