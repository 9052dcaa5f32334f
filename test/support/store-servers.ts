// The servers behind the networked stores, each in one manner: where it is, how it dies and comes back.

import { startMongoServer } from './mongo-server.ts'
import { startPostgresServer } from './postgres-server.ts'
import { startRedisServer } from './redis-server.ts'

export interface StoreServer {
  readonly port: number
  /** What goes into SESSION_STORE to reach it; by another port, where something stands in between. */
  url(port?: number): string
  /** SIGKILL. The data stay. */
  kill(): Promise<void>
  /** Starts it again on the same data and port; where it still runs, in an orderly way. */
  restart(): Promise<void>
  stop(): Promise<void>
}

export interface StoreServerKind {
  readonly name: 'redis' | 'postgres' | 'mongo'
  /** Whoever starts it stops it. */
  start(): Promise<StoreServer>
}

export const storeServers: readonly StoreServerKind[] = [
  { name: 'redis', start: startRedis },
  { name: 'postgres', start: startPostgres },
  { name: 'mongo', start: startMongo },
]

export async function storeServer(name: StoreServerKind['name']): Promise<StoreServer> {
  const kind = storeServers.find((each) => each.name === name)
  if (kind === undefined) throw new Error(`no server is known as ${name}`)
  return kind.start()
}

async function startRedis(): Promise<StoreServer> {
  const server = await startRedisServer()
  return { ...server, url: (port = server.port) => `redis://${server.host}:${port}` }
}

async function startPostgres(): Promise<StoreServer> {
  const server = await startPostgresServer()
  const url = (port = server.port): string => {
    const through = new URL(server.url)
    through.port = String(port)
    return through.href
  }
  return { ...server, url }
}

async function startMongo(): Promise<StoreServer> {
  const server = await startMongoServer()
  // The server tells its own port as that of its replica set, and the driver would go there.
  const url = (port = server.port): string => `mongodb://127.0.0.1:${port}/sessions?directConnection=true`
  return {
    ...server,
    url,
    restart: async () => {
      await server.kill()
      await server.restart()
    },
  }
}
