// One Redis server as the store uses it: a connection for what is answered at once, another for writes that replicas confirm.

import { RedisConnection, type RedisConnectionOptions, type RedisRequest } from './connection.ts'
import { DurableWriter } from './durable-writer.ts'
import { SCRIPTS } from './scripts.ts'
import type { TimeLimit } from './time-limit.ts'

export interface RedisCommand extends RedisRequest {
  /** One of its keys: says which server of a cluster it goes to. All of them share a slot. */
  readonly key: string
  /** Answered when replicas have it, where the store waits for them. */
  readonly isDurable?: boolean
  readonly limit: TimeLimit
}

export interface RedisNodeOptions extends Omit<RedisConnectionOptions, 'prepare'> {
  /** Replicas to wait for; 0 for none. */
  readonly replicas: number
}

const ASKING: RedisRequest = { args: ['ASKING'] }
const prepare: readonly RedisRequest[] = SCRIPTS.map(({ source }) => ({ args: ['SCRIPT', 'LOAD', source] }))

export class RedisNode {
  readonly connection: RedisConnection
  readonly #durableConnection: RedisConnection | undefined
  readonly #writer: DurableWriter | undefined

  constructor({ replicas, tracking, ...options }: RedisNodeOptions) {
    this.connection = new RedisConnection({ ...options, ...(tracking && { tracking }), prepare })
    if (replicas === 0) return
    const { settings } = options
    this.#durableConnection = new RedisConnection({ ...options, prepare })
    this.#writer = new DurableWriter(this.#durableConnection, { replicas, timeoutMs: settings.timeoutMs })
  }

  /** @param isAsked the slot is on its way to this server, and its former one sent us here */
  async send({ limit, ...command }: RedisCommand, isAsked = false): Promise<unknown> {
    const requests = isAsked ? [ASKING, asOnce(command)] : [command]
    if (command.isDurable && this.#writer) return this.#writer.send(requests, limit)
    const answer = (await this.connection.sendTogether(requests, limit)).at(-1)
    if (answer?.status === 'fulfilled') return answer.value
    throw answer?.reason
  }

  /** The server may be another one now: look again. */
  drop(): void {
    this.connection.drop()
    this.#durableConnection?.drop()
  }

  close(): void {
    this.connection.close()
    this.#durableConnection?.close()
  }
}

/** Nothing that is read from a server which does not have the slot yet is kept. */
function asOnce(command: RedisRequest): RedisRequest {
  const { reading: _, ...rest } = command
  return rest
}
