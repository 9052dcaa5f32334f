// A place for the store contract in MongoDB: a database of its own, gone after the case.

import { randomBytes } from 'node:crypto'
import { BSON, MongoClient, type Db } from 'mongodb'
import type { Store } from '../../server/sessions/store.ts'
import { createMongoStore } from '../../server/stores/mongo.ts'
import type { StorePlace } from '../../server/testing.ts'

export interface MongoPlace extends StorePlace {
  /** The URL with the database in it. */
  readonly url: string
  dump(): Promise<Uint8Array>
  dispose(): Promise<void>
}

/** The server is slow where calls contend; the contract does not ask how fast it is. */
export const PATIENT_MS = 60_000

/** Stores on one new database, each made by `connect`; `count` is how many there were before. */
export function mongoPlace(
  serverUrl: string,
  connect: (url: string, count: number) => Store | Promise<Store> = (url) =>
    createMongoStore({ url, timeoutMs: PATIENT_MS }),
): MongoPlace {
  const name = `pbs_test_${randomBytes(8).toString('hex')}`
  const url = withDatabase(serverUrl, name)
  let count = 0
  return {
    url,
    connect: () => {
      count += 1
      return connect(url, count - 1)
    },
    dump: () => withMongo(url, async (db) => Buffer.concat(await allDocuments(db))),
    dispose: () => withMongo(url, async (db) => void (await db.dropDatabase())),
  }
}

/** Works on the database of a URL over a connection of its own. */
export async function withMongo<T>(url: string, work: (db: Db) => Promise<T>): Promise<T> {
  const client = new MongoClient(url)
  try {
    return await work(client.db())
  } finally {
    await client.close()
  }
}

/** Puts a database into a URL that may have parameters. */
export function withDatabase(url: string, database: string): string {
  const [, server = '', query = ''] = /^(mongodb(?:\+srv)?:\/\/[^/?]+)\/?[^?]*(\?.*)?$/.exec(url) ?? []
  return `${server}/${database}${query}`
}

async function allDocuments(db: Db): Promise<readonly Uint8Array[]> {
  const collections = await db.listCollections().toArray()
  const documents = await Promise.all(collections.map(({ name }) => db.collection(name).find().toArray()))
  return documents.flat().map((document) => BSON.serialize(document))
}
