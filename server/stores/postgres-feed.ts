// Hears what other processes change in PostgreSQL, for as long as the store is open: a connection that fails is replaced.

import type { ClientConfig } from 'pg'
import type { ChangeFeed } from './change-feed.ts'
import type { Driver } from './postgres-driver.ts'
import { toPostgresError } from './postgres-error.ts'
import { PostgresListener } from './postgres-listener.ts'
import { TellingBatch } from './telling-batch.ts'

export interface PostgresFeedOptions {
  readonly connection: ClientConfig
  readonly timeoutMs: number
  /** Makes all endings from now on be told. */
  readonly prepare: () => Promise<void>
  /** Tells all processes of these keys, on another connection. */
  readonly tell: (keys: readonly string[]) => Promise<void>
}

/** A third of a lease. */
const ASK_AFTER_MS = 50
const FIRST_PAUSE_MS = 20
const MAX_PAUSE_MS = 5000
const DEAF =
  'PostgreSQL takes LISTEN and delivers nothing, as behind a pooler that lends connections by the transaction: no session is kept in memory. Name a direct connection, or one pooled by the session.'

export class PostgresFeed implements ChangeFeed {
  readonly #driver: Driver
  readonly #options: PostgresFeedOptions
  readonly #announcing: TellingBatch
  #onChange: (key: string | null) => void = () => {}
  #listener: PostgresListener | undefined
  #isOpen = false
  #warning: string | null = null
  #isAsking = false
  #askedAt = -Infinity
  #heardUntil = -Infinity
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined

  constructor(driver: Driver, options: PostgresFeedOptions) {
    this.#driver = driver
    this.#options = options
    this.#announcing = new TellingBatch(options.tell)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get warnings(): readonly string[] {
    return this.#warning === null ? [] : [this.#warning]
  }

  async open(onChange: (key: string | null) => void): Promise<void> {
    this.#onChange = onChange
    await this.#connect()
  }

  async close(): Promise<void> {
    const listener = this.#listener
    this.#listener = undefined // so that its end begins nothing
    this.#forget()
    clearTimeout(this.#timer)
    listener?.close()
  }

  heardUntil(now: number): number {
    if (this.#isOpen && !this.#isAsking && now - this.#askedAt > ASK_AFTER_MS) this.#ask(now)
    return this.#heardUntil
  }

  announce(keys: readonly string[]): Promise<void> {
    return this.#announcing.add(keys)
  }

  async #connect(): Promise<void> {
    const { connection, timeoutMs, prepare, tell } = this.#options
    const listener = new PostgresListener(this.#driver, {
      connection,
      timeoutMs,
      onTold: (key) => this.#onChange(key === '' ? null : key),
      onEnd: () => this.#lose(listener),
    })
    this.#listener = listener
    try {
      await listener.open()
      await prepare()
      const hears = await listener.hears((word) => tell([word]))
      if (this.#listener !== listener) return
      this.#warning = hears ? null : DEAF
      if (!hears) return listener.close()
      this.#isOpen = true
      this.#pauseMs = FIRST_PAUSE_MS
    } catch (error) {
      this.#warning = `no session is kept in memory until PostgreSQL lets us listen: ${toPostgresError(error).message}`
      listener.close() // and the next one is on its way
    }
  }

  #lose(listener: PostgresListener): void {
    if (this.#listener !== listener) return
    this.#listener = undefined
    this.#forget()
    this.#timer = setTimeout(() => void this.#connect(), this.#pauseMs).unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS)
  }

  /** What was changed from now on is not heard of. */
  #forget(): void {
    this.#isOpen = false
    this.#heardUntil = -Infinity
    this.#onChange(null)
  }

  #ask(now: number): void {
    const listener = this.#listener
    if (listener === undefined) return
    this.#askedAt = now
    this.#isAsking = true
    const answered = (): void => {
      this.#isAsking = false
      if (this.#listener === listener) this.#heardUntil = now
    }
    // Without an answer the lease runs out, and the listener has closed itself.
    listener.ask().then(answered, () => {
      this.#isAsking = false
    })
  }
}
