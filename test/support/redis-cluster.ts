// A Redis Cluster: three masters, and a replica of each.

import { setTimeout as delay } from 'node:timers/promises'
import { replicasOf } from './redis-sentinels.ts'
import { startRedisServer, until, type RedisServer } from './redis-server.ts'

export interface RedisCluster {
  /** `redis+cluster://…` of all nodes. */
  readonly url: string
  readonly nodes: readonly RedisServer[]
  /** The node that has a slot now. */
  masterOf(slot: number): Promise<RedisServer>
  /** Moves a slot with its keys to another node while the cluster works; `between` runs when half of the keys have moved. */
  moveSlot(slot: number, to: RedisServer, between?: () => Promise<void>): Promise<void>
  stop(): Promise<void>
}

const MASTERS = 3
const SLOTS = 16_384
const SETTINGS = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '1000', 'cluster-replica-validity-factor': '0' }

/** Whoever starts it stops it. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const nodes = await Promise.all(Array.from({ length: 2 * MASTERS }, () => startRedisServer({ settings: SETTINGS })))
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    await join(nodes)
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: `redis+cluster://${nodes.map(({ address }) => address).join()}`,
    nodes,
    masterOf: (slot) => findMaster(nodes, slot),
    moveSlot: async (slot, to, between) => moveSlot({ slot, from: await findMaster(nodes, slot), to, nodes, between }),
    stop,
  }
}

async function join(nodes: readonly RedisServer[]): Promise<void> {
  const [masters, replicas] = [nodes.slice(0, MASTERS), nodes.slice(MASTERS)]
  const [first] = nodes
  if (first === undefined) return
  for (const [i, master] of masters.entries()) {
    const [from, to] = [i, i + 1].map((part) => Math.floor((part * SLOTS) / MASTERS))
    await master.run('CLUSTER', 'ADDSLOTSRANGE', String(from), String((to ?? SLOTS) - 1))
    // Two masters with one epoch could both think that they have a slot.
    await master.run('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
  }
  const busPort = String(((await first.run('CONFIG', 'GET', 'cluster-port')) as Record<string, string>)['cluster-port'])
  for (const node of nodes.slice(1)) await node.run('CLUSTER', 'MEET', first.host, String(first.port), busPort)
  await until('all nodes know each other', () => all(nodes, async (node) => (await knownNodes(node)) === nodes.length))
  for (const [i, replica] of replicas.entries()) {
    const id = String(await masters[i]?.run('CLUSTER', 'MYID'))
    await until('the replica knows its master', () => succeeds(() => replica.run('CLUSTER', 'REPLICATE', id)))
  }
  await until('the replicas are in step', () => all(masters, async (node) => (await replicasOf(node)) === 1))
  await until('the cluster is up', () => all(nodes, isUp))
}

async function findMaster(nodes: readonly RedisServer[], slot: number): Promise<RedisServer> {
  const ranges = await Promise.any(nodes.map((node) => node.run('CLUSTER', 'SLOTS')))
  const range = (ranges as [number, number, [string, number]][]).find(([from, to]) => from <= slot && slot <= to)
  const master = nodes.find(({ port }) => port === range?.[2][1])
  if (master === undefined) throw new Error(`No node has slot ${slot}.`)
  return master
}

interface Move {
  readonly slot: number
  readonly from: RedisServer
  readonly to: RedisServer
  readonly nodes: readonly RedisServer[]
  readonly between: (() => Promise<void>) | undefined
}

async function moveSlot({ slot, from, to, nodes, between }: Move): Promise<void> {
  const [fromId, toId] = [String(await from.run('CLUSTER', 'MYID')), String(await to.run('CLUSTER', 'MYID'))]
  await to.run('CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', fromId)
  await from.run('CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', toId)
  const keys = (await from.run('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[] // names of keys
  const half = Math.floor(keys.length / 2)
  for (const key of keys.slice(0, half)) await migrate(from, to, key)
  await between?.()
  // Those that were written meanwhile are moved too.
  for (const key of (await from.run('CLUSTER', 'GETKEYSINSLOT', String(slot), '1000')) as string[]) {
    await migrate(from, to, key)
  }
  const masters = await Promise.all(nodes.map(async (node) => ({ node, role: (await node.run('ROLE')) as unknown[] })))
  for (const { node } of masters.filter(({ role }) => role[0] === 'master')) {
    await node.run('CLUSTER', 'SETSLOT', String(slot), 'NODE', toId)
  }
}

async function migrate(from: RedisServer, to: RedisServer, key: string): Promise<void> {
  await from.run('MIGRATE', to.host, String(to.port), key, '0', '5000')
}

async function all(nodes: readonly RedisServer[], isSo: (node: RedisServer) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(nodes.map(isSo))).every(Boolean)
}

async function knownNodes(node: RedisServer): Promise<number> {
  return Number(/cluster_known_nodes:(\d+)/.exec(String(await node.run('CLUSTER', 'INFO')))?.[1])
}

async function isUp(node: RedisServer): Promise<boolean> {
  return /cluster_state:ok/.test(String(await node.run('CLUSTER', 'INFO')))
}

async function succeeds(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    await delay(50)
    return false // not yet
  }
}
