// Keeps password checks in line. PocketBase hashes in bcrypt, about 70 ms of a core each; without a limit a burst
// of logins starves every other request.

import { PocketBaseUnavailableError } from '../errors.ts'

export interface LoginGateOptions {
  /** Checks under way at once. */
  readonly places: number
  /** Longest wait for a place in milliseconds. */
  readonly maxWaitMs?: number
  /** A clock that only runs forward, milliseconds. */
  readonly now?: () => number
}

interface Waiter {
  readonly enter: () => void
  readonly timer?: NodeJS.Timeout
}

const MAX_WAIT_MS = 20_000
const FIRST_GUESS_MS = 100
/** Weight of the latest check in the running average. */
const SMOOTHING = 0.2

export class LoginGate {
  readonly #places: number
  readonly #maxWaitMs: number
  readonly #now: () => number
  readonly #queue: Waiter[] = []
  #busy = 0
  #averageMs = FIRST_GUESS_MS

  constructor({ places, maxWaitMs = MAX_WAIT_MS, now = () => performance.now() }: LoginGateOptions) {
    this.#places = places
    this.#maxWaitMs = maxWaitMs
    this.#now = now
  }

  /**
   * Runs `work` when a place is free, in order of arrival. `isNext` goes before all that wait and is never turned away.
   * @throws PocketBaseUnavailableError with `retryAfter` where the wait would be too long
   */
  async run<T>(work: () => Promise<T>, { isNext = false } = {}): Promise<T> {
    await this.#enter(isNext)
    const startedAt = this.#now()
    try {
      return await work()
    } finally {
      this.#averageMs += SMOOTHING * (this.#now() - startedAt - this.#averageMs)
      this.#leave()
    }
  }

  /** How long one more caller would wait, in milliseconds. */
  expectedWaitMs(): number {
    if (this.#busy < this.#places) return 0
    return Math.ceil((this.#queue.length + 1) / this.#places) * this.#averageMs
  }

  #enter(isNext: boolean): Promise<void> | undefined {
    if (this.#busy < this.#places) {
      this.#busy += 1
      return undefined
    }
    if (isNext) return new Promise<void>((resolve) => this.#queue.unshift({ enter: resolve }))
    const expectedMs = this.expectedWaitMs()
    if (expectedMs > this.#maxWaitMs) throw tooLong(expectedMs)
    return new Promise<void>((resolve, reject) => {
      const giveUp = (): void => {
        this.#queue.splice(this.#queue.indexOf(waiter), 1)
        reject(tooLong(this.expectedWaitMs()))
      }
      // The guess was wrong: PocketBase hangs.
      const waiter: Waiter = { enter: resolve, timer: setTimeout(giveUp, this.#maxWaitMs) }
      this.#queue.push(waiter)
    })
  }

  #leave(): void {
    const next = this.#queue.shift()
    if (next === undefined) {
      this.#busy -= 1
      return
    }
    // The place goes on to the next one, so that nobody who comes now can take it.
    clearTimeout(next.timer)
    next.enter()
  }
}

function tooLong(expectedMs: number): PocketBaseUnavailableError {
  return new PocketBaseUnavailableError(
    new Error('too many password checks are waiting'),
    Math.max(1, Math.ceil(expectedMs / 1000)),
  )
}
