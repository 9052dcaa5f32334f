// Commands and scripts over a link, each inside the time of its store call.

import { randomBytes } from 'node:crypto'
import { ConnectionLostError } from './connection.ts'
import type { RedisArgument, RedisDriver } from './driver.ts'
import type { RedisLink } from './link.ts'
import type { RedisCommand } from './node.ts'
import type { RedisScript } from './scripts.ts'

export interface RunOptions extends Pick<RedisCommand, 'limit' | 'isDurable' | 'buffers' | 'reading'> {
  /** May be sent again when its answer was lost: it reads, or it can tell that it was done already. */
  readonly isRepeatable?: boolean
}

export interface ScriptInput {
  readonly keys: readonly [string, ...string[]]
  readonly args: readonly RedisArgument[]
}

export class RedisCommands {
  readonly #link: RedisLink
  readonly #driver: Pick<RedisDriver, 'isReply'>

  constructor(link: RedisLink, driver: Pick<RedisDriver, 'isReply'>) {
    this.#link = link
    this.#driver = driver
  }

  /** @param key of the command: the first argument after its name, unless told */
  async run(args: readonly [string, string, ...RedisArgument[]], options: RunOptions): Promise<unknown> {
    return this.#send({ ...options, args, key: args[1] }, options.isRepeatable)
  }

  async script({ sha, source }: RedisScript, { keys, args }: ScriptInput, options: RunOptions): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args]
    const command = { ...options, key: keys[0] }
    try {
      return await this.#send({ ...command, args: ['EVALSHA', sha, ...rest] }, options.isRepeatable)
    } catch (error) {
      if (!this.#driver.isReply(error) || !error.message.startsWith('NOSCRIPT')) throw error
      // Refused when the connection was made, or flushed since.
      return this.#send({ ...command, args: ['EVAL', source, ...rest] }, options.isRepeatable)
    }
  }

  async #send(command: RedisCommand, isRepeatable = false): Promise<unknown> {
    try {
      return await this.#link.send(command)
    } catch (error) {
      // Once: a server that is back at once was only cut off, one that is away needs more time than a call has.
      if (!isRepeatable || !(error instanceof ConnectionLostError)) throw error
      return this.#link.send(command)
    }
  }
}

/** Marks what one call writes, so that it knows its own write again. */
export function newWriteId(): string {
  return randomBytes(12).toString('base64url')
}
