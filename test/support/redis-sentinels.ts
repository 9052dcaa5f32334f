// A Redis master with two replicas, watched by three sentinels: when the master is lost, the new one still has a replica that
// confirms writes.

import { startRedisServer, until, type RedisServer } from './redis-server.ts'

export interface RedisSentinels {
  /** `redis+sentinel://…` of all three. */
  readonly url: string
  readonly sentinels: readonly RedisServer[]
  /** The master at the start, and its replicas. */
  readonly servers: readonly RedisServer[]
  /** The one that the sentinels name now. */
  master(): Promise<RedisServer>
  stop(): Promise<void>
}

const NAME = 'sessions'

/** Whoever starts them stops them. */
export async function startRedisSentinels(): Promise<RedisSentinels> {
  const started: RedisServer[] = []
  const start: typeof startRedisServer = async (options) => {
    const server = await startRedisServer(options)
    started.push(server)
    return server
  }
  const stop = async (): Promise<void> => void (await Promise.all(started.map((server) => server.stop())))
  try {
    const master = await start()
    const replicaof = { replicaof: `${master.host} ${master.port}` }
    const servers = [master, ...(await Promise.all([0, 1].map(() => start({ settings: replicaof }))))]
    await until('the replicas are in step', async () => (await replicasOf(master)) === 2)
    const sentinels = await Promise.all([0, 1, 2].map(() => start(sentinelOptions(master))))
    await until('the sentinels know each other', async () =>
      (await Promise.all(sentinels.map(isComplete))).every(Boolean),
    )
    return {
      url: `redis+sentinel://${sentinels.map(({ address }) => address).join()}/${NAME}`,
      sentinels,
      servers,
      master: () => findMaster(sentinels, servers),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

/** How many replicas have all that the master has. */
export async function replicasOf(master: RedisServer): Promise<number> {
  return String(await master.run('INFO', 'replication')).match(/state=online/g)?.length ?? 0
}

function sentinelOptions({ host, port }: RedisServer) {
  return {
    isSentinel: true,
    settings: {
      [`sentinel monitor ${NAME}`]: `${host} ${port} 2`,
      [`sentinel down-after-milliseconds ${NAME}`]: '1000',
      [`sentinel failover-timeout ${NAME}`]: '3000',
    },
  }
}

async function isComplete(sentinel: RedisServer): Promise<boolean> {
  const master = await describeMaster(sentinel)
  return master['num-other-sentinels'] === '2' && master['num-slaves'] === '2'
}

async function findMaster(sentinels: readonly RedisServer[], servers: readonly RedisServer[]): Promise<RedisServer> {
  const named = await Promise.any(sentinels.map(describeMaster))
  const master = servers.find(({ port }) => String(port) === named['port'])
  if (master === undefined) throw new Error('The sentinels name a server that is not ours.')
  return master
}

async function describeMaster(sentinel: RedisServer): Promise<Readonly<Record<string, string>>> {
  return (await sentinel.run('SENTINEL', 'MASTER', NAME)) as Record<string, string> // a map in RESP3
}
