// A replace changes two rows, and MongoDB changes one at a time. The successor is written first and does not count ("pending")
// until the old row, in the same step that ends it, names it. Whoever meets a pending row asks the old one, and finishes.

import type { MongoConnection } from './mongo-connection.ts'
import { idOf, type SessionDocument } from './mongo-documents.ts'

type Row = Omit<SessionDocument, 'fields'>

/** `undecided`: the old row is live, the replace may still come. `void`: it never will. */
export type Settled = 'committed' | 'undecided' | 'void'

export const WITHOUT_FIELDS = { projection: { fields: 0 } } as const

/**
 * Whether the replace that wrote this pending row was committed; if so, the row counts from now on.
 * Reads what no election can undo: the two rows may be on different shards, and one undone alone would leave both sessions live.
 */
export async function settle(db: MongoConnection, row: Row): Promise<Settled> {
  if (row.replaces === undefined) return 'void'
  const old = await db.sessions.findOne({ _id: row.replaces }, { ...db.reads, projection: { successor: 1, ended: 1 } })
  if (old === null) return 'void'
  if (old.successor?.equals(idOf(row))) {
    await confirm(db, row)
    return 'committed'
  }
  return old.ended === undefined ? 'undecided' : 'void'
}

/** The rows that count, of some that were read. */
export async function withoutUncommitted<T extends Row>(
  db: MongoConnection,
  rows: readonly T[],
): Promise<readonly T[]> {
  const pending = rows.filter((row) => row.pending)
  const settled = await Promise.all(pending.map((row) => settle(db, row)))
  const uncommitted = new Set(pending.filter((_, i) => settled[i] !== 'committed'))
  return rows.filter((row) => !uncommitted.has(row))
}

/** The last step of a replace that is committed. Whoever meets the row later does it too, so that a failure changes nothing. */
export async function confirm(db: MongoConnection, { _id, replaces }: Row): Promise<void> {
  await attempt(db.latest.updateOne({ _id, pending: true, ...sameReplace(replaces) }, { $unset: { pending: '' } }))
}

/** Takes a pending row away whose replace never came and never will. A failure leaves a row that does not count. */
export async function withdraw(db: MongoConnection, { _id, replaces, writeId }: Row): Promise<void> {
  await attempt(db.latest.deleteOne({ _id, pending: true, writeId, ...sameReplace(replaces) }))
}

function sameReplace(replaces: Buffer | undefined) {
  return replaces === undefined ? {} : { replaces }
}

async function attempt(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work])
}
