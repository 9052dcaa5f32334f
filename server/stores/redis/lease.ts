// How long rows that were read on a connection may be used without asking again. Redis says on the connection which of them were
// changed, in order with its answers. So an answer to a question asked at some moment shows that all changes made before that
// moment have been heard of.

/** An ending that has waited for this long is known wherever a lease still counts. */
export const LEASE_MS = 150
/** Of the lease: after this part of it the next use asks again. */
const RENEW_AFTER = 1 / 3

/** Ends with its connection: what was changed from then on is never heard of. */
export class Lease {
  readonly #ask: (rowName: string) => Promise<unknown>
  readonly #leaseMs: number
  /** When the last question was asked, and when the last one that has been answered. By a clock that nobody sets. */
  #askedAt = -Infinity
  #answeredFrom = -Infinity
  #isOver = false

  /** `ask`: sends a question on the connection. Only a server that may answer for the row answers it. */
  constructor(ask: (rowName: string) => Promise<unknown>, leaseMs: number) {
    this.#ask = ask
    this.#leaseMs = leaseMs
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** @param now from `performance.now()` */
  holds(now: number): boolean {
    return now - this.#answeredFrom < this.#leaseMs
  }

  /** Whether the next use should ask. Nothing asks without use, and a silent server is asked no more often. */
  isDue(now: number): boolean {
    return !this.#isOver && now - this.#askedAt > this.#leaseMs * RENEW_AFTER
  }

  /** @param now read before: the time counts from when the question was not sent yet */
  renew(rowName: string, now: number): void {
    this.#askedAt = now
    const renewed = (): void => {
      if (!this.#isOver) this.#answeredFrom = now
    }
    // Without an answer the lease runs out, and the store is read: a connection that has failed shows there.
    this.#ask(rowName).then(renewed, () => {})
  }

  end(): void {
    this.#isOver = true
    this.#answeredFrom = -Infinity
  }
}
