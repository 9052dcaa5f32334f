// The nodes of a Redis Cluster: which of them has a slot, and what to do when it has moved. Not by the driver's own Cluster
// client: it sends WAIT to every shard instead of the node that took the write, and waits without end for a node that is down.

import { setTimeout as delay } from 'node:timers/promises'
import type { RedisAddress, RedisConfig } from './config.ts'
import { NotConnectedError } from './connection.ts'
import type { RedisDriver } from './driver.ts'
import { keySlot } from './key-slot.ts'
import type { RedisLink, RedisLinkOptions } from './link.ts'
import { RedisNode, type RedisCommand } from './node.ts'
import { readRedirect, type Target } from './redirect.ts'
import { readSlots, type SlotMap } from './slot-map.ts'
import { TimeLimit } from './time-limit.ts'

/** Ends a circle of nodes that send us to each other. */
const MOST_REDIRECTS = 100
/** Many calls fail at once when a node goes; one look at the cluster serves them all. */
const LOOK_AT_MOST_EVERY_MS = 100

export class ClusterLink implements RedisLink {
  readonly #driver: RedisDriver
  readonly #config: RedisConfig
  readonly #options: RedisLinkOptions
  /** By `host:port`. */
  readonly #nodes = new Map<string, RedisNode>()
  #masters: ReadonlySet<string> = new Set()
  /** By slot: `host:port` of its master. */
  #slots: string[] = []
  #looking: Promise<void> | undefined
  #isClosed = false

  constructor(driver: RedisDriver, config: RedisConfig, options: RedisLinkOptions) {
    this.#driver = driver
    this.#config = config
    this.#options = options
  }

  open(limit: TimeLimit): Promise<void> {
    return limit.race(this.#look())
  }

  close(): void {
    this.#isClosed = true
    for (const node of this.#nodes.values()) node.close()
  }

  masters(): readonly RedisNode[] {
    return [...this.#masters].map((address) => this.#node(address))
  }

  async send(command: RedisCommand): Promise<unknown> {
    let target = await this.#find(command)
    for (let redirects = 0; ; redirects += 1) {
      try {
        return await this.#node(target.address).send(command, target.isAsked)
      } catch (error) {
        // A node that is away or stalls may have been replaced by now.
        if (!this.#driver.isReply(error) || error.message.startsWith('CLUSTERDOWN')) this.#lookSoon()
        const redirect = this.#driver.isReply(error) ? readRedirect(error.message, target) : undefined
        if (redirect === undefined || redirects === MOST_REDIRECTS || command.limit.isOver) throw error
        if (redirect.pauseMs) await delay(redirect.pauseMs)
        target = redirect.target
        if (!target.isAsked) this.#slots[keySlot(command.key)] = target.address
      }
    }
  }

  async #find({ key, limit }: RedisCommand): Promise<Target> {
    const slot = keySlot(key)
    if (this.#slots[slot] === undefined) await limit.race(this.#look())
    const address = this.#slots[slot]
    if (address === undefined) throw new NotConnectedError('redis: no node of the cluster has the slot')
    return { address, isAsked: false }
  }

  #lookSoon(): void {
    // Those who fail meanwhile fail by their own error.
    this.#look().catch(() => {})
  }

  /** Reads the map of slots again; calls at the same time share one look. */
  #look(): Promise<void> {
    this.#looking ??= this.#readMap().finally(() => {
      setTimeout(() => (this.#looking = undefined), LOOK_AT_MOST_EVERY_MS).unref()
    })
    return this.#looking
  }

  async #readMap(): Promise<void> {
    const limit = new TimeLimit(this.#options.timeoutMs)
    const known = new Set([...this.#config.addresses.map(toText), ...this.#nodes.keys()])
    const map = await Promise.any(
      [...known].map(async (address) => readSlotMap(this.#node(address), address, limit)),
    ).catch((error: unknown) => {
      const [cause] = error instanceof AggregateError ? (error.errors as readonly unknown[]) : [error]
      throw new NotConnectedError('redis: no node of the cluster can be reached', { cause })
    })
    if (this.#isClosed) return
    this.#slots = [...map.slots]
    this.#masters = map.masters
    this.#forget(new Set([...this.#config.addresses.map(toText), ...map.nodes]))
    for (const address of map.nodes) this.#node(address)
  }

  #node(address: string): RedisNode {
    const known = this.#nodes.get(address)
    if (known) return known
    if (this.#isClosed) throw new NotConnectedError('redis: the store is closed')
    const { credentials, tls, wait } = this.#config
    const { timeoutMs, ...tracking } = this.#options
    const node = new RedisNode({
      driver: this.#driver,
      settings: { credentials, tls, database: 0, timeoutMs },
      locate: () => fromText(address),
      replicas: wait,
      ...tracking,
    })
    this.#nodes.set(address, node)
    return node
  }

  /** Closes the connections to nodes that have left. */
  #forget(present: ReadonlySet<string>): void {
    for (const [address, node] of this.#nodes) {
      if (present.has(address)) continue
      this.#nodes.delete(address)
      node.close()
    }
  }
}

async function readSlotMap({ connection }: RedisNode, address: string, limit: TimeLimit): Promise<SlotMap> {
  const requests = [{ args: ['CLUSTER', 'INFO'] }, { args: ['CLUSTER', 'SLOTS'] }]
  const [info, slots] = await connection.sendTogether(requests, limit)
  if (info?.status !== 'fulfilled') throw info?.reason
  if (slots?.status !== 'fulfilled') throw slots?.reason
  // A node that is cut off from the others shows the slots as they were.
  if (/^cluster_state:fail/m.test(String(info.value))) throw new Error('redis: the cluster is down')
  return readSlots(slots.value, address)
}

function toText({ host, port }: RedisAddress): string {
  return `${host}:${port}`
}

function fromText(address: string): RedisAddress {
  const colon = address.lastIndexOf(':')
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
}
