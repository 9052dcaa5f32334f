// A cache bounded in bytes. Two generations instead of a list in order of use: a hit costs one look-up.

/** Keeps what was used last, up to about `maxBytes`; what has not been used for a whole generation is dropped. */
export class BoundedCache<Value> {
  readonly #maxBytes: number
  #young = new Map<string, Value>()
  #old = new Map<string, Value>()
  #youngBytes = 0
  readonly #bytesOf: (key: string, value: Value) => number

  /** `bytesOf` estimates what an entry takes. 0 `maxBytes` keeps nothing. */
  constructor(maxBytes: number, bytesOf: (key: string, value: Value) => number) {
    this.#maxBytes = maxBytes
    this.#bytesOf = bytesOf
  }

  get(key: string): Value | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: Value): void {
    const bytes = this.#bytesOf(key, value)
    if (bytes > this.#maxBytes / 2) return
    if (!this.#young.has(key)) this.#youngBytes += bytes
    this.#young.set(key, value)
    if (this.#youngBytes <= this.#maxBytes / 2) return
    this.#old = this.#young
    this.#young = new Map()
    this.#youngBytes = 0
  }

  delete(key: string): void {
    const young = this.#young.get(key)
    if (young !== undefined) this.#youngBytes -= this.#bytesOf(key, young)
    this.#young.delete(key)
    this.#old.delete(key)
  }

  clear(): void {
    this.#young.clear()
    this.#old.clear()
    this.#youngBytes = 0
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }
}
