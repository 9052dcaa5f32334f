// Guessing is bounded: budgets of failures in a fixed window, counted in the session store so that all nodes share them.

import { ProblemError, StoreUnavailableError } from '../errors.ts'
import type { Sessions } from './manager.ts'

export interface Budget {
  /** Names the counter; a part that comes from a user is hashed by the caller. */
  readonly name: string
  /** For events: `login_account`. */
  readonly kind: string
  readonly limit: number
  readonly windowMs: number
}

/** A budget is used up. */
export class RateLimitedError extends ProblemError {
  override readonly name = 'RateLimitedError'
  readonly kind: string
  constructor(kind: string, retryAfterMs: number) {
    const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000))
    super('rate_limited', `Too many attempts. Please try again in ${inWords(retryAfter)}.`, { retryAfter })
    this.kind = kind
  }
}

type Counters = Pick<Sessions, 'hit' | 'resetHits'>

export class Limiter {
  readonly #counters: Counters
  readonly #now: () => number
  readonly #gates = new Map<string, Gate>()

  constructor(counters: Counters, now: () => number) {
    this.#counters = counters
    this.#now = now
  }

  /**
   * Runs `attempt` within all budgets. One that answers `failed` uses each of them up by one. Parallel attempts never
   * overshoot: as many run at once as could still fail, the others wait for their outcome.
   * @throws RateLimitedError without running `attempt` when a budget is used up.
   */
  async attempt<T>(budgets: readonly Budget[], attempt: () => Promise<T>, failed: (result: T) => boolean): Promise<T> {
    const entered: Budget[] = []
    let wrong = false
    try {
      for (const budget of budgets) {
        await this.#enter(budget)
        entered.push(budget)
      }
      const result = await attempt()
      wrong = failed(result)
      return result
    } finally {
      for (const budget of entered) await this.#leave(budget, wrong)
    }
  }

  /** A success: this counter starts anew. */
  async clear(budget: Budget): Promise<void> {
    await this.#counters.resetHits(budget.name)
  }

  /** Counts one use. Answers whether it was still within the budget. */
  async take(budget: Budget): Promise<boolean> {
    const { count } = await this.#counters.hit(budget.name, budget.windowMs)
    return count <= budget.limit
  }

  /** Counts one use. @throws RateLimitedError beyond the budget. */
  async spend(budget: Budget): Promise<void> {
    const { count, resetAt } = await this.#counters.hit(budget.name, budget.windowMs)
    if (count > budget.limit) throw new RateLimitedError(budget.kind, resetAt - this.#now())
  }

  async #enter(budget: Budget): Promise<void> {
    const gate = this.#gates.get(budget.name) ?? new Gate()
    this.#gates.set(budget.name, gate)
    try {
      await gate.enter(async (inFlight) => {
        const { count, resetAt } = await this.#counters.hit(budget.name, budget.windowMs, 0)
        if (count >= budget.limit) throw new RateLimitedError(budget.kind, resetAt - this.#now())
        return count + inFlight < budget.limit
      })
    } finally {
      this.#forget(budget.name)
    }
  }

  async #leave(budget: Budget, wrong: boolean): Promise<void> {
    try {
      const count = async (): Promise<void> => void (await this.#counters.hit(budget.name, budget.windowMs))
      await this.#gates.get(budget.name)?.leave(wrong ? count : null)
    } finally {
      this.#forget(budget.name)
    }
  }

  #forget(name: string): void {
    if (this.#gates.get(name)?.idle === true) this.#gates.delete(name)
  }
}

/** Lets attempts on one counter in one after the other, so that looking and counting cannot interleave. */
class Gate {
  #queue: Promise<unknown> = Promise.resolve()
  #users = 0
  #inFlight = 0
  #wake: (() => void)[] = []

  get idle(): boolean {
    return this.#users === 0
  }

  /** Waits until `admits` says yes; what it throws refuses the attempt. */
  async enter(admits: (inFlight: number) => Promise<boolean>): Promise<void> {
    this.#users++
    try {
      while (!(await this.#serial(() => this.#tryEnter(admits)))) {
        if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    } catch (error) {
      this.#users--
      throw error
    }
  }

  async leave(record: (() => Promise<void>) | null): Promise<void> {
    try {
      if (record !== null) await this.#serial(record)
    } finally {
      this.#inFlight--
      this.#users--
      for (const wake of this.#wake.splice(0)) wake()
    }
  }

  async #tryEnter(admits: (inFlight: number) => Promise<boolean>): Promise<boolean> {
    const admitted = await admits(this.#inFlight)
    if (admitted) this.#inFlight++
    return admitted
  }

  /** When the store does not answer, all who wait hear of it at once: one deadline after the other would keep the last for minutes. */
  #serial<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(work)
    const queue = done.catch((error: unknown) => {
      if (error instanceof StoreUnavailableError) throw error
    })
    queue.catch(() => {
      if (this.#queue === queue) this.#queue = Promise.resolve()
    })
    this.#queue = queue
    return done
  }
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${seconds} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
