// Writes that replicas confirm before they are answered (WAIT). WAIT speaks of what its own connection wrote and blocks it, so
// these writes have a connection to themselves, and all that are due go with one WAIT.

import type { RedisConnection, RedisRequest } from './connection.ts'
import { TimeLimit } from './time-limit.ts'

/** Written, but it is not known whether it outlives the server: a write of unknown outcome. */
export class UnconfirmedWriteError extends Error {
  override readonly name = 'UnconfirmedWriteError'
}

interface Waiting {
  readonly requests: readonly RedisRequest[]
  readonly limit: TimeLimit
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

export class DurableWriter {
  readonly #connection: RedisConnection
  readonly #replicas: number
  readonly #timeoutMs: number
  readonly #waiting: Waiting[] = []
  #isWriting = false

  constructor(connection: RedisConnection, options: { readonly replicas: number; readonly timeoutMs: number }) {
    this.#connection = connection
    this.#replicas = options.replicas
    this.#timeoutMs = options.timeoutMs
  }

  /**
   * Sends the requests one right behind the other and answers the last, once enough replicas have all that was written.
   * @throws UnconfirmedWriteError where too few do
   */
  send(requests: readonly RedisRequest[], limit: TimeLimit): Promise<unknown> {
    const answer = new Promise<unknown>((resolve, reject) => {
      this.#waiting.push({ requests, limit, resolve, reject })
    })
    void this.#writeAll()
    return limit.race(answer)
  }

  async #writeAll(): Promise<void> {
    if (this.#isWriting) return
    this.#isWriting = true
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0))
    this.#isWriting = false
  }

  async #write(all: readonly Waiting[]): Promise<void> {
    const batch = all.filter(({ limit }) => !limit.isOver) // the others were told already, and are not written
    if (batch.length === 0) return
    const wait: RedisRequest = { args: ['WAIT', String(this.#replicas), String(Math.ceil(this.#timeoutMs / 4))] }
    try {
      const requests = batch.flatMap(({ requests: own }) => own)
      const answers = await this.#connection.sendTogether([...requests, wait], new TimeLimit(this.#timeoutMs))
      settle(batch, answers, this.#unconfirmed(answers.at(-1)))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }

  #unconfirmed(answer: PromiseSettledResult<unknown> | undefined): Error | undefined {
    if (answer?.status === 'fulfilled' && Number(answer.value) >= this.#replicas) return undefined
    const count = answer?.status === 'fulfilled' ? Number(answer.value) : 0
    const cause: unknown = answer?.status === 'rejected' ? answer.reason : undefined
    const message = `redis: ${count} of ${this.#replicas} replicas confirmed a write; it may be lost with its server`
    return new UnconfirmedWriteError(message, { cause })
  }
}

/** What failed by itself fails by its own error; the rest by that of WAIT. */
function settle(
  batch: readonly Waiting[],
  answers: readonly PromiseSettledResult<unknown>[],
  unconfirmed: Error | undefined,
): void {
  let end = 0
  for (const { requests, resolve, reject } of batch) {
    end += requests.length
    const answer = answers[end - 1]
    if (answer?.status !== 'fulfilled') reject(answer?.reason)
    else if (unconfirmed) reject(unconfirmed)
    else resolve(answer.value)
  }
}
