// The master that Sentinel names. Not by the driver's own Sentinel client: it repeats a command whose answer was lost, and a
// write must not be repeated unless it can tell that it was done already.

import type { RedisAddress, RedisConfig } from './config.ts'
import { RedisConnection } from './connection.ts'
import type { RedisDriver } from './driver.ts'
import type { RedisLink, RedisLinkOptions } from './link.ts'
import { RedisNode, type RedisCommand } from './node.ts'
import { TimeLimit } from './time-limit.ts'

interface Named extends RedisAddress {
  readonly epoch: number
}

/** How often the sentinels are asked whether the master is still the same. */
const LOOK_EVERY_MS = 1000

export class SentinelLink implements RedisLink {
  readonly #sentinels: readonly RedisConnection[]
  readonly #node: RedisNode
  readonly #masterName: string
  readonly #timeoutMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(driver: RedisDriver, config: RedisConfig, { timeoutMs, ...tracking }: RedisLinkOptions) {
    const { addresses, sentinelCredentials, credentials, tls, database, wait } = config
    const sentinelSettings = { credentials: sentinelCredentials, tls, database: 0, timeoutMs }
    this.#sentinels = addresses.map(
      (address) => new RedisConnection({ driver, settings: sentinelSettings, locate: () => address }),
    )
    this.#node = new RedisNode({
      driver,
      settings: { credentials, tls, database, timeoutMs },
      locate: () => this.#findMaster(),
      check: assertMaster,
      replicas: wait,
      ...tracking,
    })
    this.#masterName = config.masterName
    this.#timeoutMs = timeoutMs
  }

  async open(limit: TimeLimit): Promise<void> {
    this.#timer ??= setInterval(() => void this.#look(), LOOK_EVERY_MS).unref()
    await this.#node.connection.connect(limit)
  }

  close(): void {
    clearInterval(this.#timer)
    this.#node.close()
    for (const sentinel of this.#sentinels) sentinel.close()
  }

  send(command: RedisCommand): Promise<unknown> {
    return this.#node.send(command)
  }

  masters(): readonly RedisNode[] {
    return [this.#node]
  }

  /** A master that lost sight of the sentinels goes on answering, also after they made another one. */
  async #look(): Promise<void> {
    const current = this.#node.connection.address
    if (current === undefined) return
    try {
      const master = await this.#findMaster()
      if (master.host !== current.host || master.port !== current.port) this.#node.drop()
    } catch {
      // No sentinel answers: the master that we have is the best that is known.
    }
  }

  /** All sentinels are asked: one that was cut off still names the master of an older epoch. */
  async #findMaster(): Promise<RedisAddress> {
    const limit = new TimeLimit(Math.min(500, this.#timeoutMs / 2))
    const request = { args: ['SENTINEL', 'MASTER', this.#masterName], buffers: true }
    const answers = await Promise.allSettled(
      this.#sentinels.map(async (sentinel) => readMaster(await sentinel.send(request, limit))),
    )
    const named = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []))
    const [newest] = named.toSorted((a, b) => b.epoch - a.epoch)
    if (newest) return newest
    throw new Error('redis: no sentinel names the master', { cause: answers.find(isRejected)?.reason })
  }
}

function isRejected(answer: PromiseSettledResult<unknown>): answer is PromiseRejectedResult {
  return answer.status === 'rejected'
}

function readMaster(answer: unknown): Named {
  const texts = Array.isArray(answer) ? answer.map(String) : []
  const read = (name: string): string => texts[texts.indexOf(name) + 1] ?? ''
  const master = { host: read('ip'), port: Number(read('port')), epoch: Number(read('config-epoch')) }
  if (!texts.includes('ip') || !Number.isInteger(master.port)) throw new Error('redis: the sentinel names no master')
  return master
}

/** ROLE: right after a failover the sentinels may name a server that has not taken over yet, or no longer is the master. */
function assertMaster(role: unknown): void {
  if (!Array.isArray(role) || String(role[0]) !== 'master') throw new Error('redis: the server is not a master')
}
