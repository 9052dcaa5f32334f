// Ending all sessions of a user, and the epochs that stop a sign-in which runs meanwhile.

import type { EndReason } from '../sessions/reasons.ts'
import { EPOCH_KEPT_MS } from './lifetime.ts'
import { deleteAfter, endedBy, liveAt, newWriteId, toId } from './mongo-documents.ts'
import { codeOf, DUPLICATE_KEY } from './mongo-driver.ts'
import type { MongoCall } from './mongo-decide.ts'

/** Document of the store's own epoch. */
export const STORE_EPOCH = 'store'
const OF_USER = 'user:'

/** Two passes at least: one alone may miss a session that changes its id while it runs. */
const MIN_PASSES = 2

export async function endUser(
  call: MongoCall,
  userId: string,
  reason: EndReason,
  { now, exceptKey }: { readonly now: number; readonly exceptKey: string | undefined },
): Promise<number> {
  // Before anything is looked for: a sign-in that is not found has yet to ask for the epoch.
  await noteEpoch(call, userId, now)
  const writeId = newWriteId()
  const except = exceptKey === undefined ? {} : { _id: { $ne: toId(exceptKey) } }
  const ended = await endAll(call, { userId, ...except, ...liveAt(now) }, endedBy(reason, now, writeId))
  // An answer that was lost had a count.
  return ended ?? call.db.latest.countDocuments({ userId, writeId })
}

export async function readEpoch({ db }: MongoCall, userId: string | undefined): Promise<number> {
  const row = await db.epochs.findOne({ _id: userId === undefined ? STORE_EPOCH : epochName(userId) }, db.reads)
  return row?.epoch ?? 0
}

/**
 * Not one atomic act, and not tried again by the driver: it is repeated until there is nothing left to end. Successors that
 * still wait for their replace are ended too; where the replace comes, it makes a session that is dead already.
 * Answers how many it ended, `undefined` where an answer was lost.
 */
async function endAll(
  { db, limit }: MongoCall,
  filter: Readonly<Record<string, unknown>>,
  change: ReturnType<typeof endedBy>,
): Promise<number | undefined> {
  let [ended, attempts] = [0, 0]
  for (let pass = 1; ; pass += 1) {
    const { matchedCount } = await limit.repeat(() => {
      attempts += 1
      return db.latest.updateMany(filter, change)
    })
    ended += matchedCount
    if (matchedCount === 0 && pass >= MIN_PASSES) return attempts === pass ? ended : undefined
  }
}

/** Done twice, it only raises the epoch by two. */
async function noteEpoch({ db, limit }: MongoCall, userId: string, now: number): Promise<void> {
  const raised = await limit.repeat(() =>
    insertingOnce(() =>
      db.epochs.findOneAndUpdate(
        { _id: STORE_EPOCH },
        { $inc: { epoch: 1 } },
        { upsert: true, returnDocument: 'after' },
      ),
    ),
  )
  const noted = { epoch: raised?.epoch ?? 0, deleteAt: deleteAfter(now + EPOCH_KEPT_MS) }
  // The larger wins: of two endings at once the later note may be of the earlier epoch.
  await limit.repeat(() =>
    insertingOnce(() => db.epochs.updateOne({ _id: epochName(userId) }, { $max: noted }, { upsert: true })),
  )
}

/** Of two upserts at once the second may fail; it then finds what the first has made. */
async function insertingOnce<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert()
  } catch (error) {
    if (codeOf(error) !== DUPLICATE_KEY) throw error
    return upsert()
  }
}

/** Document of a user's epoch. */
export function epochName(userId: string): string {
  return OF_USER + userId
}

export function userOfEpoch(name: string): string {
  return name.slice(OF_USER.length)
}
