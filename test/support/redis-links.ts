// Links to Redis on which a test makes happen what a crash or a network does: between two commands, at a chosen one.

import { parseRedisUrl } from '../../server/stores/redis/config.ts'
import { ConnectionLostError } from '../../server/stores/redis/connection.ts'
import { createLink } from '../../server/stores/redis/create-link.ts'
import { loadRedisDriver } from '../../server/stores/redis/driver.ts'
import type { RedisLink } from '../../server/stores/redis/link.ts'
import type { RedisCommand } from '../../server/stores/redis/node.ts'
import type { RedisScript } from '../../server/stores/redis/scripts.ts'
import { RedisStore } from '../../server/stores/redis/store.ts'

type Send = (command: RedisCommand) => Promise<unknown>
/** Sends a command, or does something else. */
export type Around = (command: RedisCommand, send: Send) => Promise<unknown>

const TIMEOUT_MS = 10_000

/** A store whose commands all go through `around`. */
export async function openStoreAround(url: string, around: Around): Promise<RedisStore> {
  const driver = await loadRedisDriver()
  const config = parseRedisUrl(url)
  const link = createLink(driver, config, { timeoutMs: TIMEOUT_MS })
  const send: Send = (command) => link.send(command)
  const wrapped: RedisLink = {
    open: (limit) => link.open(limit),
    close: () => link.close(),
    masters: () => link.masters(),
    send: (command) => around(command, send),
  }
  const store = new RedisStore(wrapped, { driver, prefix: config.prefix, timeoutMs: TIMEOUT_MS })
  await store.open()
  return store
}

/** The process dies when it has sent this many commands: no other leaves it. */
export function crashAfter(count: number) {
  let left = count
  const around: Around = (command, send) => {
    left -= 1
    return left < 0 ? Promise.reject(new Error('the process is gone')) : send(command)
  }
  return { around, hasCrashed: () => left < 0 }
}

/** The first answer to a command of this script, or of this name, is lost: the command itself is done. */
export function loseAnswerOf(which: RedisScript | string): Around {
  let isLost = false
  return async (command, send) => {
    const answer = await send(command)
    if (isLost || !isCommand(command, which)) return answer
    isLost = true
    throw new ConnectionLostError('the answer was lost, as the test told it to be')
  }
}

/** The first command of this script waits until it is let go. */
export function holdBack(script: RedisScript) {
  const arrived = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const around: Around = async (command, send) => {
    if (isCommand(command, script)) {
      arrived.resolve()
      await released.promise
    }
    return send(command)
  }
  return { around, arrived: arrived.promise, release: () => released.resolve() }
}

function isCommand({ args }: RedisCommand, which: RedisScript | string): boolean {
  if (typeof which === 'string') return args[0] === which
  return args[1] === which.sha || args[1] === which.source
}
