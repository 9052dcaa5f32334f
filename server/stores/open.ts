// A store URL (`SESSION_STORE`) → a store.

import { ConfigError } from '../errors.ts'
import type { CopyableStore } from '../sessions/copyable-store.ts'

export interface OpenStoreOptions {
  /** Deadline of a call in milliseconds. Default 2000. */
  readonly timeoutMs?: number
  /** Whether rows may be kept in this process. By default as suits the store. */
  readonly cache?: boolean
}

type OpenStore = (url: string, options: OpenStoreOptions) => Promise<CopyableStore>

/** Scheme → store. Each is loaded only when it is named, so that a driver that is not used need not be installed. */
const STORES: Readonly<Record<string, OpenStore>> = {
  'memory:': async () => (await import('./memory.ts')).createMemoryStore(),
  'sqlite:': openSqlite,
  'mongodb:': openMongo,
  'mongodb+srv:': openMongo,
  'postgres:': openPostgres,
  'postgresql:': openPostgres,
  'redis:': openRedis,
  'rediss:': openRedis,
  'redis+sentinel:': openRedis,
  'rediss+sentinel:': openRedis,
  'redis+cluster:': openRedis,
  'rediss+cluster:': openRedis,
}

const EXAMPLES =
  'memory:, sqlite:data/sessions.db, postgres://user:password@host/database, redis://user:password@host:6379 or mongodb://user:password@host/database'

/**
 * Makes the store that a URL names: `memory:`, `sqlite:data/sessions.db`, `sqlite:/var/lib/app/sessions.db`.
 * It is not opened yet: the first call on it is `open()`.
 * @throws ConfigError for a URL that names no store.
 */
export async function openStore(url: string, options: OpenStoreOptions = {}): Promise<CopyableStore> {
  const scheme = /^[a-z0-9+]+:/.exec(url)?.[0]
  const open = scheme === undefined || !Object.hasOwn(STORES, scheme) ? undefined : STORES[scheme]
  // A URL may carry a password: only its scheme is ever shown.
  if (open === undefined)
    throw new ConfigError([`store: ${scheme ?? 'this'} is not a known store URL. Use ${EXAMPLES}.`])
  return open(url, options)
}

async function openSqlite(url: string, { cache, ...options }: OpenStoreOptions): Promise<CopyableStore> {
  const cacheBytes = cache === false ? { cacheBytes: 0 } : {}
  return (await import('./sqlite.ts')).createSqliteStore({ path: sqlitePath(url), ...options, ...cacheBytes })
}

async function openRedis(url: string, { cache, ...options }: OpenStoreOptions): Promise<CopyableStore> {
  const cacheBytes = cache === false ? { cacheBytes: 0 } : {}
  return (await import('./redis.ts')).createRedisStore({ url, ...options, ...cacheBytes })
}

async function openPostgres(url: string, options: OpenStoreOptions): Promise<CopyableStore> {
  return (await import('./postgres.ts')).createPostgresStore({ url, ...options })
}

async function openMongo(url: string, options: OpenStoreOptions): Promise<CopyableStore> {
  return (await import('./mongo.ts')).createMongoStore({ url, ...options })
}

/** The path in `sqlite:data/x.db`, `sqlite:/abs/x.db` and `sqlite:///abs/x.db`. @throws ConfigError where there is none */
export function sqlitePath(url: string): string {
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '')
  if (path === '' || path.startsWith('//') || path.includes('?')) {
    throw new ConfigError(['store: a sqlite: URL is followed by a path, sqlite:data/sessions.db'])
  }
  if (path.startsWith(':')) throw new ConfigError(['store: for a store in memory use memory:'])
  return path
}
