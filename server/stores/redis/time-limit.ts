// The time that one store call has for all of its steps.

import { withDeadline } from '../../lib/deadline.ts'

export class TimeLimit {
  readonly #ms: number
  readonly #end: number

  constructor(ms: number) {
    this.#ms = ms
    this.#end = performance.now() + ms
  }

  get isOver(): boolean {
    return performance.now() >= this.#end
  }

  /** Rejects when the time is over first. `late` is told of it. */
  race<T>(promise: Promise<T>, late: () => void = () => {}): Promise<T> {
    return withDeadline(promise, Math.max(0, this.#end - performance.now()), () => {
      late()
      return this.error()
    })
  }

  error(): Error {
    return new Error(`redis: no answer within ${this.#ms} ms; a write may still take effect`)
  }
}
