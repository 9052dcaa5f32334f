// The time that one store call has for all of its steps.

import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../lib/deadline.ts'
import { DUPLICATE_KEY, MongoStoreError, codeOf } from './mongo-driver.ts'

const FIRST_PAUSE_MS = 10

/** Errors of which the same call gets no other answer: not allowed, not signed in, key taken, refused by a schema. */
const FINAL_CODES: readonly unknown[] = [13, 18, 121, DUPLICATE_KEY]

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

  /** Rejects when the time is over first. The work itself goes on: a write may still take effect. */
  race<T>(promise: Promise<T>): Promise<T> {
    const late = () => new MongoStoreError(`no answer within ${this.#ms} ms; a write may still take effect`)
    return withDeadline(promise, this.#ms, late)
  }

  /** Does again what may be done twice, after any error that may mean done, not done or done later. */
  async repeat<T>(work: () => Promise<T>): Promise<T> {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        return await work()
      } catch (error) {
        if (this.isOver || FINAL_CODES.includes(codeOf(error))) throw error
      }
      await delay(pauseMs)
    }
  }
}
