// Touches are written behind, in batches: the only write that may come after the answer.

import { andThen, isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import type { GuardedStore } from './guarded-store.ts'
import type { SessionTouch } from './store.ts'

const FLUSH_AFTER_MS = 500
/** A store that stays away must not fill the memory with touches. */
const MAX_PENDING = 100_000

export class Touches {
  readonly #pending = new Map<string, SessionTouch>()
  readonly #store: GuardedStore
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined

  constructor(store: GuardedStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  add(touch: SessionTouch): void {
    if (this.#pending.size >= MAX_PENDING && !this.#pending.has(touch.key)) return
    this.#pending.set(touch.key, touch)
    this.#timer ??= setTimeout(() => this.#flushInBackground(), FLUSH_AFTER_MS).unref()
  }

  has(key: string): boolean {
    return this.#pending.has(key)
  }

  /** Writes a touch of this key that still waits, as of its own time, so that a look-up sees it. */
  settle(key: string): MaybePromise<void> {
    const touch = this.#pending.get(key)
    if (touch === undefined) return
    this.#pending.delete(key)
    return this.#write([touch], touch.lastSeenAt)
  }

  /** Forgets a session that ended. */
  forget(key: string): void {
    this.#pending.delete(key)
  }

  /** Writes all that wait. */
  flush(): MaybePromise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    const batch = [...this.#pending.values()]
    this.#pending.clear()
    return this.#write(batch, this.#now())
  }

  #write(batch: readonly SessionTouch[], now: number): MaybePromise<void> {
    return andThen(
      this.#store.call('touch', (store) => store.touch(batch, now)),
      () => undefined,
    )
  }

  #flushInBackground(): void {
    try {
      const done = this.flush()
      // A lost touch shortens an idle timeout by a minute at most; the store's failure has been reported.
      if (isPromise(done)) done.catch(() => undefined)
    } catch {
      // Reported by the guarded store; see above.
    }
  }
}
