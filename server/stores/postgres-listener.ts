// One connection on which PostgreSQL tells what has changed. It answers questions in order with that: whatever was committed before
// a question was sent has been told when it is answered.

import { randomUUID } from 'node:crypto'
import type { Client, ClientConfig } from 'pg'
import { withDeadline } from '../lib/deadline.ts'
import type { Driver } from './postgres-driver.ts'
import { PostgresError } from './postgres-error.ts'
import { destroy } from './postgres-pool.ts'
import { CHANNEL } from './postgres-statements.ts'

export interface ListenerOptions {
  readonly connection: ClientConfig
  /** Deadline of every step. */
  readonly timeoutMs: number
  /** Gets each key that was changed; nothing stands for all. */
  readonly onTold: (key: string) => void
  /** Once, when nothing more can be heard. */
  readonly onEnd: () => void
}

const KEEP_ALIVE_MS = 10_000

export class PostgresListener {
  readonly #client: Client
  readonly #options: ListenerOptions
  readonly #heard = new Map<string, () => void>()
  #isOver = false

  constructor({ Client: PgClient }: Driver, options: ListenerOptions) {
    const { connection, timeoutMs } = options
    this.#options = options
    this.#client = new PgClient({
      ...connection,
      connectionTimeoutMillis: timeoutMs,
      query_timeout: timeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    })
    this.#client.on('error', () => this.close())
    this.#client.once('end', () => this.close())
    this.#client.on('notification', ({ payload = '' }) => this.#hear(payload))
  }

  /** @throws PostgresError where it cannot be connected */
  async open(): Promise<void> {
    try {
      await this.#client.connect()
      await this.#client.query(`LISTEN ${CHANNEL}`)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /**
   * Whether what others tell arrives while the connection is idle. A pooler that lends connections by the transaction takes LISTEN,
   * and then tells nobody.
   * @param tell sends a word on the channel, on another connection
   */
  async hears(tell: (word: string) => Promise<void>): Promise<boolean> {
    const word = randomUUID()
    const heard = new Promise<void>((resolve) => this.#heard.set(word, resolve))
    const late = (): Error => new PostgresError('late', 'nothing was heard')
    const [answer] = await Promise.allSettled([withDeadline(heard, this.#options.timeoutMs, late), tell(word)])
    this.#heard.delete(word)
    return answer.status === 'fulfilled'
  }

  /** A round trip. One at a time. */
  async ask(): Promise<void> {
    try {
      await this.#client.query('')
    } catch (error) {
      this.close() // silent or gone, it is no good
      throw error
    }
  }

  /** Without a goodbye, for which a silent server would be waited for. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    destroy(this.#client)
    this.#options.onEnd()
  }

  #hear(word: string): void {
    const heard = this.#heard.get(word)
    if (heard !== undefined) heard()
    else if (!this.#isOver) this.#options.onTold(word)
  }
}
