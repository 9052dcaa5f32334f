// A cache bounded in bytes. Second chance instead of a list in order of use: a hit sets a flag and moves nothing.

interface Entry<Value> {
  readonly value: Value
  readonly bytes: number
  used: boolean
}

/** Keeps up to `maxBytes` of what was used last, by the caller's estimate. 0 keeps nothing. */
export class BoundedCache<Value> {
  readonly #maxBytes: number
  readonly #entries = new Map<string, Entry<Value>>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get(key: string): Value | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    entry.used = true
    return entry.value
  }

  /** `bytes`: about what the entry takes. */
  set(key: string, value: Value, bytes: number): void {
    this.delete(key)
    if (bytes > this.#maxBytes) return
    this.#entries.set(key, { value, bytes, used: false })
    this.#bytes += bytes
    this.#makeRoom()
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }

  clear(): void {
    this.#entries.clear()
    this.#bytes = 0
  }

  get size(): number {
    return this.#entries.size
  }

  /** Oldest first; what was used since it was last looked at goes to the end of the line. */
  #makeRoom(): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) return
      this.#entries.delete(key)
      if (entry.used) this.#entries.set(key, { ...entry, used: false })
      else this.#bytes -= entry.bytes
    }
  }
}
