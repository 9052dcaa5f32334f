// Writes `req.session` objects: a new one is created or replaces another, a known one is merged into its row.

import { ProblemError, SessionGoneError } from '../errors.ts'
import { andThen, isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import { idleDeadline } from '../sessions/policy.ts'
import type { MutableColumns } from '../sessions/record.ts'
import type { RequestContext } from './request-context.ts'
import type { SessionServices } from './session-kit.ts'
import { changesOf, hasChanges, isOtherLifetime, lifetimeOf, type TrackedSession } from './tracked-session.ts'

/** For how long a cookie whose session was rotated makes no new session. */
const ROTATED_RECENTLY_MS = 60_000

export interface WriteRequest {
  /** Where the request is not known (`store.load`), only an existing row is written. */
  readonly context: RequestContext | undefined
  readonly session: object
  readonly tracked: TrackedSession
  /** Called by the app: without a change it counts as a use. */
  readonly explicit: boolean
}

export class SessionWriter {
  readonly #services: SessionServices

  constructor(services: SessionServices) {
    this.#services = services
  }

  /** @throws ProblemError `session_expired` where the row has ended, `store_unavailable` */
  write(request: WriteRequest): MaybePromise<void> {
    const { context, tracked } = request
    const work = () =>
      context === undefined ? this.#write(request) : context.writes.run('save', () => this.#write(request))
    const { writing } = tracked
    const result = writing === null ? work() : writing.then(work, work)
    if (!isPromise(result)) return
    tracked.writing = result
    return result.finally(() => {
      if (tracked.writing === result) tracked.writing = null
    })
  }

  #write(request: WriteRequest): MaybePromise<void> {
    const { live } = request.tracked
    return live === null ? this.#writeNew(request) : this.#merge(request, live)
  }

  #writeNew({ context, session, tracked }: WriteRequest): MaybePromise<void> {
    const changes = changesOf(session, tracked.saved)
    // Nothing to keep: no row, no cookie.
    if (tracked.replaces === null && !hasChanges(changes)) return
    if (context === undefined) throw new SessionGoneError()
    this.#refuseNew(context)
    const lifetimeMs = lifetimeOf(session, tracked.lifetimeMs)
    const data = Object.fromEntries(
      [...changes.texts.keys()].map((name) => [name, Reflect.get(session, name) as unknown]),
    )
    const draft = { data, signedIn: null, remembered: false, device: '', ip: '', cookie: lifetimeMs, id: tracked.id }
    const { sessions } = this.#services
    const { replaces } = tracked
    return andThen(replaces === null ? sessions.create(draft) : sessions.replace(replaces, () => draft), (live) => {
      if (live === 'gone') return this.#gone(context, replaces)
      Object.assign(tracked, { live, saved: changes.texts, lifetimeMs })
      return context.wrote(live)
    })
  }

  #merge({ context, session, tracked, explicit }: WriteRequest, live: LiveSession): MaybePromise<void> {
    const changes = changesOf(session, tracked.saved)
    const lifetimeMs = lifetimeOf(session, tracked.lifetimeMs)
    const isOther = isOtherLifetime(lifetimeMs, tracked.lifetimeMs)
    if (!hasChanges(changes) && !isOther) {
      if (explicit) this.#services.sessions.touch(live)
      return
    }
    const columns = isOther ? this.#lifetimeColumns(live, lifetimeMs) : {}
    return andThen(
      this.#services.sessions.update(live, { set: changes.set, unset: changes.unset, columns }),
      (result) => {
        if (result !== 'ok') return this.#gone(context, live)
        tracked.saved = changes.texts
        tracked.lifetimeMs = lifetimeMs
        const isSendable = context?.session === live && !context.isSent
        return isOther && isSendable ? context.changeCookie('put') : undefined
      },
    )
  }

  #lifetimeColumns(live: LiveSession, cookie: number | null): Partial<MutableColumns> {
    const { sessions, now } = this.#services
    return { cookie, idleExpiresAt: idleDeadline(sessions.policy, { ...live.record, cookie }, now()) }
  }

  #refuseNew(context: RequestContext): void {
    if (context.isSent) {
      throw new ProblemError('internal', 'A session began after the headers had left, so its cookie cannot be sent.')
    }
    // A late poll must not overwrite the cookie of the login that has just changed the id.
    const { ended } = context
    if (ended?.reason === 'rotated' && this.#services.now() - ended.endedAt < ROTATED_RECENTLY_MS) {
      throw new SessionGoneError('rotated')
    }
  }

  /** Asks why the session has ended, tells the request, and throws. Its cookie stays: a newer one may be in the browser by now. */
  #gone(context: RequestContext | undefined, live: LiveSession | null): MaybePromise<never> {
    if (live === null) throw new SessionGoneError()
    return andThen(this.#services.sessions.reload(live), (found): never => {
      const reason = found?.ended?.reason
      if (reason !== undefined && context?.session === live) context.gaveUp(reason, { keepCookie: true })
      throw new SessionGoneError(reason)
    })
  }
}
