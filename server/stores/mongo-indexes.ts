// The indexes: made at start, never while a request waits. An operator who made them otherwise, or alone may, is told.

import type { Collection, IndexSpecification } from 'mongodb'
import type { MongoCollections } from './mongo-connection.ts'
import { codeOf } from './mongo-driver.ts'

interface Index {
  readonly collection: 'sessions' | 'epochs' | 'claims' | 'counters'
  readonly key: IndexSpecification
  readonly options: { readonly expireAfterSeconds?: number }
}

const INDEXES: readonly Index[] = [
  { collection: 'sessions', key: { userId: 1, expiresAt: 1 }, options: {} },
  // Deleting is housekeeping: a server that never does it, or late, shows no expired session as live.
  ...(['sessions', 'epochs', 'claims', 'counters'] as const).map((collection) => ({
    collection,
    key: { deleteAt: 1 } as const,
    options: { expireAfterSeconds: 0 },
  })),
]

const UNAUTHORIZED = 13
/** IndexOptionsConflict, IndexKeySpecsConflict: it is there with other options. */
const OTHER_OPTIONS: readonly unknown[] = [85, 86]

/** Answers what it could not make, as sentences for the operator. */
export async function createIndexes(collections: MongoCollections): Promise<readonly string[]> {
  const made = await Promise.all(INDEXES.map((index) => createIndex(collections, index)))
  return made.filter((warning) => warning !== null)
}

async function createIndex(collections: MongoCollections, { collection, key, options }: Index): Promise<string | null> {
  const target = collections[collection] as unknown as Collection // the four have no type in common
  const command = `db.${target.collectionName}.createIndex(${JSON.stringify(key)}, ${JSON.stringify(options)})`
  try {
    await target.createIndex(key, options)
    return null
  } catch (error) {
    if (codeOf(error) === UNAUTHORIZED) return `no right to make an index; where it is missing, run ${command}`
    if (OTHER_OPTIONS.includes(codeOf(error))) return `an index has other options than ours; expected is ${command}`
    throw error
  }
}
