// Sessions in MongoDB: a single server, a replica set or a sharded cluster, any number of processes on it.

import type { CopyableStore } from '../sessions/copyable-store.ts'
import { cachingStore } from './caching-store.ts'
import { connectMongo } from './mongo-connection.ts'
import { createMongoClient, loadMongoDriver } from './mongo-driver.ts'
import { MongoFeed } from './mongo-feed.ts'
import { MongoStore } from './mongo-store.ts'
import { parseMongoUrl } from './mongo-url.ts'

export interface MongoStoreOptions {
  /**
   * `mongodb://` or `mongodb+srv://`, as the driver takes it. The database is its path; `pocketbase_session` without one.
   * `readConcernLevel=linearizable` also rules out reads from a primary that is cut off, at the price of a round trip each.
   */
  readonly url: string
  /** Deadline of a call in milliseconds. Default 2000. */
  readonly timeoutMs?: number
  /**
   * Whether rows may be kept in this process, for 0.15 s each. Endings are then answered that much later, so that no process finds
   * what has ended: all must have it, or none. Needs a replica set. Default false.
   */
  readonly cache?: boolean
}

/**
 * A store in MongoDB 4.4 or newer. What it has acknowledged a majority of the replica set has; on a single server, the journal.
 * @throws ConfigError for a URL that cannot be used, or where the package `mongodb` is not installed
 * @example
 * const auth = await createAuth({ store: await createMongoStore({ url: 'mongodb://db1,db2,db3/sessions?replicaSet=rs0' }), … })
 */
export async function createMongoStore(options: MongoStoreOptions): Promise<CopyableStore> {
  const { url, timeoutMs = 2000, cache } = options
  const config = parseMongoUrl(url, timeoutMs)
  const driver = await loadMongoDriver()
  // What the driver does not take has to be known now, not at the first of many attempts to open.
  await createMongoClient(driver, config).close()
  const store = new MongoStore({ timeoutMs, connect: () => connectMongo(driver, config) })
  return cache === true ? cachingStore(store, { feed: new MongoFeed(() => store.watch()), timeoutMs }) : store
}
