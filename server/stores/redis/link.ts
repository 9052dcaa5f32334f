// What the store knows of its servers: where a command goes is the business of the link, be it one server, the master that
// sentinels name, or the nodes of a cluster.

import type { RedisTracking } from './connection.ts'
import type { RedisCommand, RedisNode } from './node.ts'
import type { TimeLimit } from './time-limit.ts'

export interface RedisLinkOptions {
  /** How long a server may be silent before it counts as gone. */
  readonly timeoutMs: number
  readonly tracking?: RedisTracking
}

export interface RedisLink {
  /** Makes the first connection. One that cannot be made is tried on and on. */
  open(limit: TimeLimit): Promise<void>
  close(): void
  send(command: RedisCommand): Promise<unknown>
  /** All servers that take writes. */
  masters(): readonly RedisNode[]
}

/** One server. */
export class SingleLink implements RedisLink {
  readonly #node: RedisNode

  constructor(node: RedisNode) {
    this.#node = node
  }

  open(limit: TimeLimit): Promise<void> {
    return this.#node.connection.connect(limit)
  }

  close(): void {
    this.#node.close()
  }

  send(command: RedisCommand): Promise<unknown> {
    return this.#node.send(command)
  }

  masters(): readonly RedisNode[] {
    return [this.#node]
  }
}
