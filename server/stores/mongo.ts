// Sessions in MongoDB: a single server, a replica set or a sharded cluster, any number of processes on it.

import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate, Store } from '../sessions/store.ts'
import { connectMongo, type MongoConnection } from './mongo-connection.ts'
import type { MongoCall } from './mongo-decide.ts'
import { createMongoClient, loadMongoDriver, MongoStoreError, toStoreError } from './mongo-driver.ts'
import { claimName, countHit, lookAtCount, releaseName, resetCount, type Count } from './mongo-names.ts'
import {
  createSession,
  endSession,
  findSession,
  listSessions,
  replaceSession,
  scanSessions,
  touchSessions,
  updateSession,
} from './mongo-sessions.ts'
import { sweep } from './mongo-sweep.ts'
import { TimeLimit } from './mongo-time-limit.ts'
import { parseMongoUrl, type MongoConfig } from './mongo-url.ts'
import { endUser, readEpoch } from './mongo-users.ts'

export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`, as the driver takes it. The database is its path; `pocketbase_session` without one. */
  readonly url: string
  /** Deadline of each call in milliseconds. Default 2000. */
  readonly timeoutMs?: number
}

/** How a store connects: tests put something in between. */
export type ConnectMongo = (config: MongoConfig) => Promise<MongoConnection>

/**
 * A store in MongoDB 4.4 or later, over the driver `mongodb` 7, which has to be installed beside this package.
 * A write is answered when a majority of the replica set has it; on a single server, when it is in the journal.
 * @throws ConfigError where the URL cannot be used
 * @example
 * const auth = await createAuth({ store: createMongoStore({ url: 'mongodb://db1,db2,db3/sessions?replicaSet=rs0' }), … })
 */
export function createMongoStore(options: MongoStoreOptions, connect: ConnectMongo = connectWithDriver): Store {
  return new MongoStore(parseMongoUrl(options.url, options.timeoutMs ?? 2000), connect)
}

/** As `createMongoStore`, but finds out at once whether the driver is installed and takes the URL. @throws ConfigError */
export async function loadMongoStore(options: MongoStoreOptions): Promise<Store> {
  const store = createMongoStore(options)
  const driver = await loadMongoDriver()
  await createMongoClient(driver, parseMongoUrl(options.url, options.timeoutMs ?? 2000)).close()
  return store
}

async function connectWithDriver(config: MongoConfig): Promise<MongoConnection> {
  return connectMongo(await loadMongoDriver(), config)
}

class MongoStore implements Store {
  readonly name = 'mongo'
  readonly #config: MongoConfig
  readonly #connect: ConnectMongo
  #opening: Promise<MongoConnection> | undefined
  #connection: MongoConnection | undefined

  constructor(config: MongoConfig, connect: ConnectMongo) {
    this.#config = config
    this.#connect = connect
  }

  async open(): Promise<void> {
    this.#opening ??= this.#connect(this.#config)
    const opening = this.#opening
    try {
      const connection = await opening
      // Closed meanwhile: close() ends this connection.
      if (this.#opening === opening) this.#connection = connection
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#connection = undefined
    const [opened] = await Promise.allSettled([opening])
    if (opened.status === 'fulfilled') await opened.value?.close()
  }

  ping(): Promise<void> {
    return this.#call('ping', ({ db }) => db.ping())
  }

  warnings(): readonly string[] {
    return this.#connection?.warnings ?? []
  }

  find(key: string, now: number): Promise<FindResult> {
    return this.#call('find', (call) => findSession(call, key, now))
  }

  create(record: SessionRecord): Promise<void> {
    return this.#call('create', (call) => createSession(call, record))
  }

  update(key: string, update: SessionUpdate, now: number): Promise<number | 'gone' | 'conflict'> {
    return this.#call('update', (call) => updateSession(call, key, update, now))
  }

  touch(touches: readonly SessionTouch[], now: number): Promise<void> {
    return this.#call('touch', (call) => touchSessions(call, touches, now))
  }

  replace(
    oldKey: string,
    record: SessionRecord,
    { ifVersion }: { readonly ifVersion?: number },
    now: number,
  ): Promise<'replaced' | 'gone' | 'conflict'> {
    return this.#call('replace', (call) => replaceSession(call, oldKey, record, { ifVersion, now }))
  }

  end(key: string, reason: EndReason, now: number): Promise<number> {
    return this.#call('end', (call) => endSession(call, key, reason, now))
  }

  endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    { exceptKey }: { readonly exceptKey?: string } = {},
  ): Promise<number> {
    return this.#call('endByUser', (call) => endUser(call, userId, reason, { now, exceptKey }))
  }

  epoch(userId?: string): Promise<number> {
    return this.#call('epoch', (call) => readEpoch(call, userId))
  }

  listByUser(userId: string, now: number): Promise<readonly SessionColumns[]> {
    return this.#call('listByUser', (call) => listSessions(call, userId, now))
  }

  scan(cursor: string | null, limit: number): Promise<ScanPage> {
    return this.#call('scan', (call) => scanSessions(call, cursor, limit))
  }

  deleteExpired(now: number, limit: number): Promise<number> {
    return this.#call('deleteExpired', (call) => sweep(call, now, limit))
  }

  claim(name: string, until: number, now: number): Promise<boolean> {
    return this.#call('claim', (call) => claimName(call, name, until, now))
  }

  release(name: string): Promise<void> {
    return this.#call('release', (call) => releaseName(call, name))
  }

  hit(name: string, windowMs: number, now: number, weight: 0 | 1 = 1): Promise<Count> {
    return this.#call('hit', (call) => (weight === 0 ? lookAtCount : countHit)(call, name, windowMs, now))
  }

  reset(name: string): Promise<void> {
    return this.#call('reset', (call) => resetCount(call, name))
  }

  async #call<T>(name: string, work: (call: MongoCall) => Promise<T>): Promise<T> {
    if (this.#connection === undefined) throw new MongoStoreError('the session store is not open')
    const limit = new TimeLimit(this.#config.timeoutMs)
    const call = { db: this.#connection, limit }
    try {
      return await limit.race(work(call))
    } catch (error) {
      throw toStoreError(name, error)
    }
  }
}
