// PocketBase does not answer: one probe at a time finds out when it is back, everybody else goes on without asking.

const PROBE_EVERY_MS = 5000

export class Outage {
  readonly #now: () => number
  #failedAt: number | null = null
  #probing = false

  constructor(now: () => number) {
    this.#now = now
  }

  /** Whether this caller may ask. During an outage that is one caller every five seconds; it must report back. */
  mayAsk(): boolean {
    if (this.#failedAt === null) return true
    if (this.#probing || this.#now() - this.#failedAt < PROBE_EVERY_MS) return false
    this.#probing = true
    return true
  }

  /** PocketBase has answered, yes or no. */
  answered(): void {
    this.#failedAt = null
    this.#probing = false
  }

  /** It has not. Answers whether the outage begins with this. */
  failed(): boolean {
    const begins = this.#failedAt === null
    this.#failedAt = this.#now()
    this.#probing = false
    return begins
  }
}
