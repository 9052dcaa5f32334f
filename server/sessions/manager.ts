// All that the product does with sessions: find, create, change, replace, end. No Express, no PocketBase.

import { StoreUnavailableError } from '../errors.ts'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import { CookieReader, cookieValue, type CookieReading, type SignedCookie } from './cookie.ts'
import { buildSession, type SessionDraft } from './draft.ts'
import { guardStore, type GuardedStore } from './guarded-store.ts'
import { LiveSession, SealBrokenError } from './live-session.ts'
import { idleDeadline, isTouchDue, type SessionPolicy } from './policy.ts'
import type { EndReason } from './reasons.ts'
import type { EndedSession, MutableColumns, SessionColumns } from './record.ts'
import type { Secrets } from './secrets.ts'
import { sessionKey, tagOf } from './session-id.ts'
import type { SessionReport } from './session-events.ts'
import type { FindResult, ScanPage, Store } from './store.ts'
import { Touches } from './touches.ts'

const DEFAULT_CACHE_BYTES = 256 * 1024 * 1024
const REPLACE_TRIES = 5
const UPDATE_FIELD_TRIES = 100
/** Rows a step: SQLite needs about 0.1 ms each, and a step must not hold up requests. */
const SWEEP_STEP = 25
/** Rows stay a day past their absolute deadline, so that "why am I signed out?" has an answer. */
const KEEP_EXPIRED_MS = 86_400_000

export interface SessionsOptions {
  readonly store: Store
  readonly secrets: Secrets
  readonly policy: SessionPolicy
  readonly cookieName: string
  /** Deadline of a store call. */
  readonly timeoutMs: number
  readonly now: () => number
  readonly report: SessionReport
  /** How much of checked cookies and opened sessions may be kept, in bytes. 0 keeps nothing. */
  readonly cacheBytes?: number
}

/** The answer to a look-up. Failing to look is a StoreUnavailableError, never `undefined`. */
export type Found =
  | { readonly live: LiveSession; readonly ended?: undefined }
  | { readonly live?: undefined; readonly ended: EndedSession }
  | undefined

export interface SessionChange {
  /** Values by sealed field: `token`, `user`, `data:<name>`. `undefined` unsets. */
  readonly set?: Readonly<Record<string, unknown>>
  readonly unset?: readonly string[]
  readonly columns?: Partial<MutableColumns>
  readonly ifVersion?: number
}

/** Sessions over one store. Every method that asks it may throw StoreUnavailableError. */
export class Sessions {
  readonly policy: SessionPolicy
  readonly #options: SessionsOptions
  readonly #store: GuardedStore
  readonly #touches: Touches
  readonly #cookies: CookieReader

  constructor(options: SessionsOptions) {
    this.policy = options.policy
    this.#options = options
    this.#store = guardStore(options.store, options.timeoutMs, options.report)
    this.#touches = new Touches(this.#store, options.now)
    this.#cookies = new CookieReader(options.secrets, options.cookieName, options.cacheBytes ?? DEFAULT_CACHE_BYTES)
  }

  readCookie(header: string | undefined): CookieReading {
    return this.#cookies.read(header)
  }

  /** Value of the session cookie, exactly as it goes into Set-Cookie. */
  cookieValue(id: string): string {
    return cookieValue(this.#options.secrets, id)
  }

  find(id: string): MaybePromise<Found> {
    return andThen(this.#findRow(sessionKey(id)), (found) =>
      found?.live === undefined ? found : this.#open(new LiveSession(id, found.live, this.#options.secrets)),
    )
  }

  /** As `find`. The store is asked each time; what the cookie's last request has opened is not opened again. */
  findByCookie(cookie: SignedCookie): MaybePromise<Found> {
    return andThen(this.#findRow(cookie.key), (found) =>
      found?.live === undefined
        ? found
        : this.#open(new LiveSession(cookie.id, found.live, this.#options.secrets, cookie.opened)),
    )
  }

  /** The row as it is now; `session` itself is left alone. */
  reload(session: LiveSession): MaybePromise<Found> {
    return this.find(session.id)
  }

  create(draft: SessionDraft): MaybePromise<LiveSession> {
    const session = this.#build(draft)
    return andThen(
      this.#store.call('create', (store) => store.create(session.record)),
      () => {
        this.#options.report('session_created', { session: session.record.handle, userId: session.record.userId })
        return session
      },
    )
  }

  /**
   * Gives the session a new id in one atomic step; the old one is dead from then on (`rotated`). `draft` is asked for
   * the content again when another request changed the session meanwhile, so no acknowledged write is lost.
   */
  replace(
    old: LiveSession,
    draft: (current: LiveSession) => SessionDraft,
    tries = REPLACE_TRIES,
  ): MaybePromise<LiveSession | 'gone'> {
    const session = this.#build(draft(old), tagOf(old.id))
    const { key, version: ifVersion } = old.record
    return andThen(
      this.#store.call('replace', (store) => store.replace(key, session.record, { ifVersion }, this.#now())),
      (result) => {
        if (result === 'conflict') return this.#replaceAgain(old, draft, tries - 1)
        if (result === 'gone') return 'gone'
        this.#touches.forget(key)
        const { handle, userId } = session.record
        this.#options.report('session_renewed', { session: handle, userId, replaced: old.record.handle })
        return session
      },
    )
  }

  /** Writes the named fields and columns in one atomic step, and notes them in `session`. Never creates. */
  update(session: LiveSession, change: SessionChange): MaybePromise<'ok' | 'gone' | 'conflict'> {
    const set = session.seal(change.set ?? {})
    const unset = [...(change.unset ?? []), ...Object.keys(change.set ?? {}).filter((name) => !set.has(name))]
    const columns = change.columns ?? {}
    const update = { set, unset, columns, ...(change.ifVersion === undefined ? {} : { ifVersion: change.ifVersion }) }
    return andThen(
      this.#store.call('update', (store) => store.update(session.record.key, update, this.#now())),
      (result) => {
        if (typeof result !== 'number') return result
        session.wrote({ set, unset, columns, version: result })
        return 'ok'
      },
    )
  }

  /** Read, change, write one field; again when another request was faster. For counters. */
  async updateField(session: LiveSession, field: string, change: (value: unknown) => unknown): Promise<'ok' | 'gone'> {
    for (let tries = 0; tries < UPDATE_FIELD_TRIES; tries++) {
      const found = await this.reload(session)
      if (found?.live === undefined) return 'gone'
      const value = change(found.live.read(field))
      const result = await this.update(found.live, { set: { [field]: value }, ifVersion: found.live.record.version })
      if (result === 'gone') return 'gone'
      if (result === 'conflict') continue
      session.follow(found.live)
      return 'ok'
    }
    throw new StoreUnavailableError(new Error(`${UPDATE_FIELD_TRIES} conflicts in a row`))
  }

  /** Notes that the user has used the session. Written behind, in batches, at most once an interval. */
  touch(session: LiveSession): void {
    const now = this.#now()
    if (!isTouchDue(this.policy, session.record, now)) return
    const idleExpiresAt = Math.max(session.record.idleExpiresAt, idleDeadline(this.policy, session.record, now))
    this.#touches.add({ key: session.record.key, lastSeenAt: now, idleExpiresAt })
    session.touched(now, idleExpiresAt)
  }

  /** After a change of secret: all fields under the newest one. On conflict the next request does it. */
  reseal(session: LiveSession): MaybePromise<'ok' | 'gone' | 'conflict'> {
    const outdated = session.outdatedFields()
    if (outdated.length === 0) return 'ok'
    const set = Object.fromEntries(outdated.map((name) => [name, session.read(name)]))
    return this.update(session, { set, ifVersion: session.record.version })
  }

  end(session: LiveSession, reason: EndReason): MaybePromise<number> {
    return this.#end(session.record, reason)
  }

  /** Ends one session of a user by its public handle. 0 where it is nobody's, or somebody else's. */
  endByHandle(userId: string, handle: string, reason: EndReason): MaybePromise<number> {
    return andThen(this.listByUser(userId), (sessions) => {
      const found = sessions.find((session) => session.handle === handle)
      return found === undefined ? 0 : this.#end(found, reason)
    })
  }

  endByUser(userId: string, reason: EndReason, options: { readonly except?: LiveSession } = {}): MaybePromise<number> {
    const except = options.except === undefined ? {} : { exceptKey: options.except.record.key }
    return andThen(
      this.#store.call('endByUser', (store) => store.endByUser(userId, reason, this.#now(), except)),
      (ended) => {
        if (ended > 0) this.#options.report('session_ended', { userId, reason, ended })
        return ended
      },
    )
  }

  /** Ends the oldest sessions of a user beyond `maxPerUser`, never `newest`. Answers how many. */
  async evict(newest: LiveSession): Promise<number> {
    const { userId, key } = newest.record
    if (userId === null) return 0
    const others = (await this.listByUser(userId)).filter((session) => session.key !== key)
    others.sort((a, b) => b.createdAt - a.createdAt || (a.handle < b.handle ? -1 : 1))
    const tooMany = others.slice(Math.max(0, this.policy.maxPerUser - 1))
    let ended = 0
    for (const session of tooMany) ended += await this.#end(session, 'evicted')
    return ended
  }

  /** Live sessions of a user, newest first. */
  listByUser(userId: string): MaybePromise<readonly SessionColumns[]> {
    return this.#store.call('listByUser', (store) => store.listByUser(userId, this.#now()))
  }

  scan(cursor: string | null, limit: number): MaybePromise<ScanPage> {
    return this.#store.call('scan', (store) => store.scan(cursor, limit))
  }

  epoch(userId?: string): MaybePromise<number> {
    return this.#store.call('epoch', (store) => store.epoch(userId))
  }

  /** True for exactly one caller until `ttlMs` from now or `release`. */
  claim(name: string, ttlMs: number): MaybePromise<boolean> {
    const now = this.#now()
    return this.#store.call('claim', (store) => store.claim(name, now + ttlMs, now))
  }

  release(name: string): MaybePromise<void> {
    return this.#store.call('release', (store) => store.release(name))
  }

  /** Counts one hit (`weight` 0 only looks). */
  hit(
    name: string,
    windowMs: number,
    weight: 0 | 1 = 1,
  ): MaybePromise<{ readonly count: number; readonly resetAt: number }> {
    return this.#store.call('hit', (store) => store.hit(name, windowMs, this.#now(), weight))
  }

  resetHits(name: string): MaybePromise<void> {
    return this.#store.call('reset', (store) => store.reset(name))
  }

  ping(): MaybePromise<void> {
    return this.#store.call('ping', (store) => store.ping())
  }

  /** Deletes what has run out, in bounded steps with turns of the event loop between them. */
  async sweep(): Promise<number> {
    for (let total = 0; ;) {
      const gone = await this.#store.call('deleteExpired', (store) =>
        store.deleteExpired(this.#now() - KEEP_EXPIRED_MS, SWEEP_STEP),
      )
      total += gone
      if (gone < SWEEP_STEP) return total
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Writes what waits. */
  flush(): MaybePromise<void> {
    return this.#touches.flush()
  }

  /** A touch that still waits counts: a session is not idle because it has not been written yet. */
  #findRow(key: string): MaybePromise<FindResult> {
    const find = (): MaybePromise<FindResult> => this.#store.call('find', (store) => store.find(key, this.#now()))
    return andThen(find(), (found) => {
      if (found?.ended?.reason !== 'idle_timeout' || !this.#touches.has(key)) return found
      return andThen(this.#touches.settle(key), find)
    })
  }

  #now(): number {
    return this.#options.now()
  }

  #build(draft: SessionDraft, tag?: string): LiveSession {
    const { secrets, policy } = this.#options
    return buildSession(draft, { secrets, policy, now: this.#now(), ...(tag === undefined ? {} : { tag }) })
  }

  /** Opens the user of a row that was found; a row that cannot be opened ends. */
  #open(session: LiveSession): MaybePromise<Found> {
    if (session.hasRetiredSecret()) return this.#discard(session, 'secret_retired')
    try {
      session.user()
      return { live: session }
    } catch (error) {
      if (!(error instanceof SealBrokenError)) throw error
      this.#options.report('crypt_decrypt_fail', {
        session: session.record.handle,
        userId: session.record.userId,
        field: error.field,
      })
      return this.#discard(session, 'damaged')
    }
  }

  #discard(session: LiveSession, reason: EndReason): MaybePromise<Found> {
    return andThen(this.end(session, reason), () => ({
      ended: { reason, endedAt: this.#now(), userId: session.record.userId },
    }))
  }

  #end(
    { key, handle, userId }: Pick<SessionColumns, 'key' | 'handle' | 'userId'>,
    reason: EndReason,
  ): MaybePromise<number> {
    this.#touches.forget(key)
    return andThen(
      this.#store.call('end', (store) => store.end(key, reason, this.#now())),
      (ended) => {
        if (ended > 0) this.#options.report('session_ended', { session: handle, userId, reason, ended })
        return ended
      },
    )
  }

  #replaceAgain(
    old: LiveSession,
    draft: (current: LiveSession) => SessionDraft,
    tries: number,
  ): MaybePromise<LiveSession | 'gone'> {
    if (tries === 0) throw new StoreUnavailableError(new Error(`${REPLACE_TRIES} conflicts in a row`))
    return andThen(this.reload(old), (found) =>
      found?.live === undefined ? 'gone' : this.replace(found.live, draft, tries),
    )
  }
}
