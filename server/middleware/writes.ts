// The writes of one request: which are under way, and which have failed.

import type { ProblemError } from '../errors.ts'
import { isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import { toProblem } from './to-problem.ts'

export type WriteKind = 'save' | 'end'

export class Writes {
  readonly #inFlight = new Set<Promise<unknown>>()
  readonly #failures = new Map<WriteKind, ProblemError>()

  /** What is wrong, until a later write of the same kind works. */
  get failure(): ProblemError | null {
    const [first] = this.#failures.values()
    return first ?? null
  }

  /** Runs a write and notes how it goes. */
  run<T>(kind: WriteKind, work: () => MaybePromise<T>): MaybePromise<T> {
    try {
      const result = work()
      if (isPromise(result)) return this.#follow(kind, result)
      this.#failures.delete(kind)
      return result
    } catch (error) {
      this.#failures.set(kind, toProblem(error))
      throw error
    }
  }

  /** When nothing is under way any more. Never rejects. */
  settled(): MaybePromise<void> {
    if (this.#inFlight.size === 0) return
    return Promise.allSettled(this.#inFlight).then(() => this.settled())
  }

  /** The request has another session now; what went wrong with the one before does not matter to it. */
  forget(): void {
    this.#failures.clear()
  }

  #follow<T>(kind: WriteKind, result: Promise<T>): Promise<T> {
    const followed = this.#note(kind, result).finally(() => this.#inFlight.delete(followed))
    this.#inFlight.add(followed)
    return followed
  }

  async #note<T>(kind: WriteKind, result: Promise<T>): Promise<T> {
    try {
      const value = await result
      this.#failures.delete(kind)
      return value
    } catch (error) {
      this.#failures.set(kind, toProblem(error))
      throw error
    }
  }
}
