// Keeps one PocketBase running: whenever it dies it is started again on the same port, until we are stopped.

import { setTimeout as delay } from 'node:timers/promises'
import { serve } from './serve.ts'
import type { ServedPocketBase, ServeOptions } from './serve.ts'
import { writeStatus } from './status-file.ts'

const FIRST_RESTART_MS = 100
const MAX_RESTART_MS = 10_000
/** After this long a death is taken for a new one, not for one in a row. */
const STABLE_MS = 30_000

export class Keeper {
  readonly #run: Omit<ServeOptions, 'port'>
  readonly #dataDir: string
  readonly #url: string
  readonly #stopping = new AbortController()
  readonly #loop: Promise<void>
  #current: ServedPocketBase | null

  constructor(first: ServedPocketBase, run: Omit<ServeOptions, 'port'>, dataDir: string) {
    this.#run = run
    this.#dataDir = dataDir
    this.#url = first.url
    this.#current = first
    this.#note(process.pid)
    this.#loop = this.#keep(first)
  }

  get pid(): number | null {
    return this.#current?.pid ?? null
  }

  /** May be called more than once. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#current?.stop()
    await this.#loop
    this.#current = null
    this.#note(null)
  }

  async #keep(first: ServedPocketBase): Promise<void> {
    const { signal } = this.#stopping
    let running = first
    let pauseMs = FIRST_RESTART_MS
    for (;;) {
      const startedAt = performance.now()
      const how = await running.ended
      if (signal.aborted) return
      this.#current = null
      this.#run.logger.error({ how }, 'PocketBase has died; starting it again')
      if (performance.now() - startedAt > STABLE_MS) pauseMs = FIRST_RESTART_MS
      const next = await this.#startAgain(pauseMs)
      if (next === null) return
      running = next
      pauseMs = Math.min(pauseMs * 2, MAX_RESTART_MS)
    }
  }

  /** Null when we are stopped meanwhile. */
  async #startAgain(firstPauseMs: number): Promise<ServedPocketBase | null> {
    const { signal } = this.#stopping
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, MAX_RESTART_MS)) {
      await delay(pauseMs, undefined, { signal }).catch(() => undefined) // woken up by stop()
      if (signal.aborted) return null
      try {
        const next = await serve({ ...this.#run, port: Number(new URL(this.#url).port), signal })
        this.#current = next
        if (signal.aborted) {
          await next.stop()
          return null
        }
        this.#note(process.pid)
        this.#run.logger.info({ pid: next.pid }, 'PocketBase is running again')
        return next
      } catch (error) {
        if (signal.aborted) return null
        this.#run.logger.error({ err: error }, 'PocketBase did not start; trying again')
      }
    }
  }

  #note(pid: number | null): void {
    writeStatus(this.#dataDir, { pid, pocketbasePid: pid === null ? null : this.pid, url: this.#url })
  }
}
