// Deletes what no longer counts, in bounded steps that several nodes may take at once.

import type { Collection } from 'mongodb'
import type { MongoCall } from './mongo-decide.ts'
import { deleteAfter } from './mongo-documents.ts'

/** Answers how many documents went; 0 only where none was left. */
export async function sweep({ db }: MongoCall, now: number, limit: number): Promise<number> {
  let left = limit
  for (const collection of [db.sessions, db.claims, db.counters, db.epochs]) {
    // The four have no type in common but the field that this is about.
    left -= await deleteSome(collection as unknown as Collection, now, left)
  }
  return limit - left
}

async function deleteSome(collection: Collection, now: number, limit: number): Promise<number> {
  const spent = { deleteAt: { $lte: deleteAfter(now) } }
  if (limit <= 0) return 0
  for (;;) {
    const rows = await collection.find(spent, { projection: { _id: 1 }, limit }).toArray()
    if (rows.length === 0) return 0
    // What has been claimed or counted anew since is spared by the second look.
    const { deletedCount } = await collection.deleteMany({ _id: { $in: rows.map((row) => row['_id']) }, ...spent })
    if (deletedCount > 0) return deletedCount
    // Another node was faster; there may be more.
  }
}
