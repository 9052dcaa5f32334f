// Claims and counters: one small document a name.

import { deleteAfter, newWriteId } from './mongo-documents.ts'
import { codeOf, DUPLICATE_KEY, MongoStoreError } from './mongo-driver.ts'
import type { MongoCall } from './mongo-decide.ts'

export interface Count {
  readonly count: number
  readonly resetAt: number
}

const MAX_TRIES = 20

/** A claim that is taken may have run out: then exactly one caller moves it on. */
export async function claimName({ db }: MongoCall, name: string, until: number, now: number): Promise<boolean> {
  const claim = { until: new Date(until), deleteAt: deleteAfter(until), writeId: newWriteId() }
  // A claim whose answer was lost is ours all the same; nobody else would ever release it.
  const isOurs = async () => (await db.claims.findOne({ _id: name }))?.writeId === claim.writeId
  try {
    await db.claims.insertOne({ _id: name, ...claim })
    return true
  } catch (error) {
    if (codeOf(error) !== DUPLICATE_KEY) {
      if (await isOurs()) return true
      throw error
    }
  }
  try {
    const { matchedCount } = await db.claims.updateOne({ _id: name, until: { $lte: new Date(now) } }, { $set: claim })
    return matchedCount === 1 || (await isOurs())
  } catch (error) {
    if (await isOurs()) return true
    throw error
  }
}

export async function releaseName({ db }: MongoCall, name: string): Promise<void> {
  await db.claims.deleteOne({ _id: name })
}

export async function countHit({ db }: MongoCall, name: string, windowMs: number, now: number): Promise<Count> {
  const [time, resetAt] = [new Date(now), new Date(now + windowMs)]
  const first = { count: 1, resetAt, deleteAt: deleteAfter(now + windowMs) }
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const running = await db.counters.findOneAndUpdate(
      { _id: name, resetAt: { $gt: time } },
      { $inc: { count: 1 } },
      { returnDocument: 'after' },
    )
    if (running !== null) return { count: running.count, resetAt: running.resetAt.getTime() }
    const begun = await db.counters.updateOne({ _id: name, resetAt: { $lte: time } }, { $set: first })
    if (begun.matchedCount === 1) return { count: 1, resetAt: resetAt.getTime() }
    try {
      await db.counters.insertOne({ _id: name, ...first })
      return { count: 1, resetAt: resetAt.getTime() }
    } catch (error) {
      if (codeOf(error) !== DUPLICATE_KEY) throw error // else another hit was the first
    }
  }
  throw new MongoStoreError('a counter kept changing')
}

export async function lookAtCount({ db }: MongoCall, name: string, windowMs: number, now: number): Promise<Count> {
  const row = await db.counters.findOne({ _id: name })
  if (row === null || row.resetAt.getTime() <= now) return { count: 0, resetAt: now + windowMs }
  return { count: row.count, resetAt: row.resetAt.getTime() }
}

export async function resetCount({ db }: MongoCall, name: string): Promise<void> {
  await db.counters.deleteOne({ _id: name })
}
