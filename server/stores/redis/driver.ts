// The driver (npm package `redis`), loaded only where a Redis store is used, and the settings it needs so that a server that
// stalls is noticed: its own defaults wait for ever.

import { ConfigError } from '../../errors.ts'
import type * as Redis from 'redis'
import type { RedisAddress, RedisCredentials, RedisTls } from './config.ts'

export type RedisArgument = string | Buffer

/** The part of a driver's client that we use: one connection to one server. It never connects again by itself. */
export interface RedisClient {
  connect(): Promise<unknown>
  destroy(): void
  sendCommand(args: readonly RedisArgument[], options: object): Promise<unknown>
  on(event: 'error' | 'terminated', listener: (cause: unknown) => void): unknown
}

export interface RedisClientSettings {
  readonly credentials: RedisCredentials
  readonly database: number
  readonly tls: RedisTls | null
  /** How long a server may be silent before it counts as gone. */
  readonly timeoutMs: number
}

/** Is told of a key that was changed, by its name; `null` for all. */
export type OnInvalidate = (name: string | null) => void

export interface RedisDriver {
  /** `onInvalidate`: at once, before the answers that came later. Redis has to be told which keys it is about. */
  createClient(address: RedisAddress, settings: RedisClientSettings, onInvalidate?: OnInvalidate): RedisClient
  /** Whether the server itself answered with an error: the connection is fine, and nothing was done. */
  isReply(error: unknown): error is Error
  /** Option of `sendCommand`: bytes come back as Buffers, maps as flat arrays. */
  readonly asBuffers: object
}

/** @throws ConfigError where the package is not installed. */
export async function loadRedisDriver(): Promise<RedisDriver> {
  const redis = await importRedis()
  // Never connected. The driver builds a class for each set of options, which takes a tenth of a second; a duplicate shares one.
  const model = redis.createClient()
  return {
    createClient: (address, settings, onInvalidate) =>
      model.duplicate({
        ...clientOptions(address, settings),
        ...(onInvalidate && { clientSideCache: listen(redis, onInvalidate) }),
      }),
    isReply: (error) => error instanceof redis.ErrorReply,
    asBuffers: { typeMapping: { [redis.RESP_TYPES.BLOB_STRING]: Buffer, [redis.RESP_TYPES.MAP]: Array } },
  }
}

function clientOptions({ host, port }: RedisAddress, { credentials, database, tls, timeoutMs }: RedisClientSettings) {
  const limits = {
    connectTimeout: Math.min(timeoutMs, 1000),
    // With a ping every half of it, a connection that is silent for so long is dead.
    socketTimeout: timeoutMs,
    // Connecting again is ours: it may have to be another server, and it never gives up.
    reconnectStrategy: false as const,
  }
  return {
    ...credentials,
    database,
    RESP: 3 as const,
    socket: tls === null ? { host, port, ...limits } : { host, port, tls: true as const, ...tls, ...limits },
    pingInterval: timeoutMs / 2,
    disableOfflineQueue: true,
    // Our own limits cover commands that are written already; the driver's does not.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled' as const,
  }
}

/** The driver hands invalidations to a cache of its own only; this one keeps nothing. */
function listen({ BasicClientSideCache }: typeof Redis, onInvalidate: OnInvalidate): Redis.BasicClientSideCache {
  class Listener extends BasicClientSideCache {
    /** Sent while connecting. Tracking is switched on later, where a refusal does not end the connection. */
    override trackingOn(): string[] {
      return ['PING']
    }

    override invalidate(name: Redis.RedisArgument | null): void {
      onInvalidate(name === null ? null : String(name))
    }
  }
  return new Listener({ recordStats: false })
}

async function importRedis(): Promise<typeof Redis> {
  try {
    return await import('redis')
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND')) throw error
    throw new ConfigError(['store: a Redis store needs the package redis: npm install redis@6.3.1'])
  }
}
