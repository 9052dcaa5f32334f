// Sessions in MongoDB: a single server, a replica set or a sharded cluster, any number of processes on it.

import type { CopyableStore } from '../sessions/copyable-store.ts'
import { connectMongo } from './mongo-connection.ts'
import { createMongoClient, loadMongoDriver } from './mongo-driver.ts'
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
}

/**
 * A store in MongoDB 4.4 or newer. What it has acknowledged a majority of the replica set has; on a single server, the journal.
 * @throws ConfigError for a URL that cannot be used, or where the package `mongodb` is not installed
 * @example
 * const auth = await createAuth({ store: await createMongoStore({ url: 'mongodb://db1,db2,db3/sessions?replicaSet=rs0' }), … })
 */
export async function createMongoStore({ url, timeoutMs = 2000 }: MongoStoreOptions): Promise<CopyableStore> {
  const config = parseMongoUrl(url, timeoutMs)
  const driver = await loadMongoDriver()
  // What the driver does not take has to be known now, not at the first of many attempts to open.
  await createMongoClient(driver, config).close()
  return new MongoStore({ timeoutMs, connect: () => connectMongo(driver, config) })
}
