// Calls that found the database locked by another process wait here, in order, and try again by timers:
// SQLite's own busy timeout would sleep on the event loop.

import type { MaybePromise } from '../lib/maybe-promise.ts'

interface Waiting {
  readonly deadline: number
  /** Whether it is done; false where the database is still locked. */
  attempt(): boolean
  reject(error: Error): void
}

const RETRY_MS = 2
/** Two processes that wait for each other's lock must not try in step. */
const JITTER_MS = 3
/** After a long wait many calls are due at once; the event loop gets a turn in between. */
const SLICE_MS = 10

export class LockLine {
  readonly #timeoutMs: number
  readonly #isLocked: (error: unknown) => boolean
  readonly #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined

  /** @param isLocked whether an error of a call means "locked, nothing was done". */
  constructor(timeoutMs: number, isLocked: (error: unknown) => boolean) {
    this.#timeoutMs = timeoutMs
    this.#isLocked = isLocked
  }

  /** Runs `call`: at once where nothing stands in its way, else by a promise that rejects at the deadline. */
  run<T>(call: () => T): MaybePromise<T> {
    if (this.#waiting.length > 0) return this.#wait(call)
    try {
      return call()
    } catch (error) {
      if (this.#isLocked(error)) return this.#wait(call)
      throw error
    }
  }

  /** Rejects everything that waits. */
  close(): void {
    clearTimeout(this.#timer)
    for (const waiting of this.#waiting.splice(0)) waiting.reject(new Error('The session store was closed.'))
  }

  #wait<T>(call: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const attempt = (): boolean => {
        try {
          resolve(call())
        } catch (error) {
          if (this.#isLocked(error)) return false
          reject(error)
        }
        return true
      }
      this.#waiting.push({ deadline: performance.now() + this.#timeoutMs, attempt, reject })
      if (this.#waiting.length === 1) this.#tryLater(RETRY_MS + Math.random() * JITTER_MS)
    })
  }

  #tryLater(ms: number): void {
    this.#timer = setTimeout(() => this.#advance(), ms)
  }

  #advance(): void {
    const started = performance.now()
    let first = this.#waiting[0]
    while (first !== undefined) {
      if (!first.attempt()) {
        if (first.deadline > started) return this.#tryLater(RETRY_MS + Math.random() * JITTER_MS)
        first.reject(new Error(`The session database stayed locked by another process for ${this.#timeoutMs} ms.`))
      }
      this.#waiting.shift()
      first = this.#waiting[0]
      if (first !== undefined && performance.now() - started > SLICE_MS) return this.#tryLater(0)
    }
  }
}
