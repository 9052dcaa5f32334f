// The client, and the collections with the concerns that fit what it is connected to.

import type { Collection, CollectionOptions, Db } from 'mongodb'
import { createMongoClient, toStoreError, type MongoDriver } from './mongo-driver.ts'
import type { SessionDocument } from './mongo-documents.ts'
import { createIndexes } from './mongo-indexes.ts'
import type { MongoConfig } from './mongo-url.ts'

export interface ClaimDocument {
  readonly _id: string
  readonly until: Date
  /** Random, of who claimed it. */
  readonly writeId: string
  readonly deleteAt: Date
}

export interface CounterDocument {
  readonly _id: string
  readonly count: number
  readonly resetAt: Date
  readonly deleteAt: Date
}

export interface EpochDocument {
  readonly _id: string
  readonly epoch: number
  /** The store's own has none. */
  readonly deleteAt?: Date
}

export interface MongoCollections {
  /** Reads show only what no election can undo. */
  readonly sessions: Collection<SessionDocument>
  /** The same; reads show what the primary has at the moment, as writes see it. */
  readonly latest: Collection<SessionDocument>
  readonly epochs: Collection<EpochDocument>
  readonly claims: Collection<ClaimDocument>
  readonly counters: Collection<CounterDocument>
}

export interface MongoConnection extends MongoCollections {
  /** Options of every read of `sessions` and `epochs`. */
  readonly reads: { readonly maxTimeMS?: number }
  readonly warnings: readonly string[]
  ping(): Promise<void>
  close(): Promise<void>
}

/** Connects once; from then on the driver finds the primary again by itself. */
export async function connectMongo(driver: MongoDriver, config: MongoConfig): Promise<MongoConnection> {
  const client = createMongoClient(driver, config)
  try {
    await client.connect()
    const hello = await client.db('admin').command({ hello: 1 })
    const isStandalone = hello['setName'] === undefined && hello['msg'] !== 'isdbgrid'
    const db = client.db(config.database)
    const collections = collectionsOf(db, config, isStandalone)
    const warnings = [...config.warnings, ...(await createIndexes(collections))]
    return {
      ...collections,
      reads: config.readConcern === 'linearizable' ? { maxTimeMS: config.timeoutMs } : {},
      warnings,
      ping: async () => void (await db.command({ ping: 1 })),
      close: () => client.close(),
    }
  } catch (error) {
    await client.close()
    throw toStoreError('open', error)
  }
}

/**
 * A single server outside a replica set confirms before its journal is written unless told otherwise, and knows no majority to
 * read from.
 */
function collectionsOf(db: Db, config: MongoConfig, isStandalone: boolean): MongoCollections {
  const writeConcern = { ...(isStandalone ? { journal: true } : {}), ...config.writeConcern }
  const confirmed: CollectionOptions = {
    writeConcern,
    readConcern: { level: isStandalone ? 'local' : config.readConcern },
    readPreference: 'primary',
  }
  const latest: CollectionOptions = { ...confirmed, readConcern: { level: 'local' } }
  return {
    sessions: db.collection('pbs_sessions', confirmed),
    latest: db.collection('pbs_sessions', latest),
    epochs: db.collection('pbs_epochs', confirmed),
    claims: db.collection('pbs_claims', latest),
    counters: db.collection('pbs_counters', latest),
  }
}
