// Tells of many changes in few statements: what comes while one is under way goes into the next.

export class TellingBatch {
  readonly #tell: (keys: readonly string[]) => Promise<void>
  readonly #keys = new Set<string>()
  #current: Promise<unknown> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(tell: (keys: readonly string[]) => Promise<void>) {
    this.#tell = tell
  }

  /** Settles as the statement does that has told of all of these. */
  add(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#keys.add(key)
    this.#next ??= this.#after(this.#current)
    return this.#next
  }

  async #after(current: Promise<unknown>): Promise<void> {
    await Promise.allSettled([current])
    const keys = [...this.#keys]
    this.#keys.clear()
    this.#current = this.#next ?? current
    this.#next = undefined
    await this.#tell(keys)
  }
}
