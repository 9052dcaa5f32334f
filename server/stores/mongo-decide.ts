// What a write to one row did: where it matched nothing, and where its answer was lost.

import type { MongoConnection } from './mongo-connection.ts'
import { NOT_PENDING, liveAt, type SessionDocument } from './mongo-documents.ts'
import { MongoStoreError } from './mongo-driver.ts'
import { settle, WITHOUT_FIELDS } from './mongo-pending.ts'
import type { TimeLimit } from './mongo-time-limit.ts'

/** One call of the store. */
export interface MongoCall {
  readonly db: MongoConnection
  readonly limit: TimeLimit
}

/** A write to one row, which its filter allows or not. */
export interface RowWrite {
  readonly id: Buffer
  readonly now: number
  readonly ifVersion?: number | undefined
  readonly writeId: string
}

const MAX_TRIES = 20

/** Matches the row while it is live and, where one is given, has this version. */
export function allowing({ id, now, ifVersion }: RowWrite) {
  return { _id: id, ...liveAt(now), ...NOT_PENDING, ...(ifVersion === undefined ? {} : { version: ifVersion }) }
}

/**
 * Runs a write and answers the row's version after it, or why it did nothing.
 * @param run answers the version, or `null` where nothing matched
 * @throws where nobody can tell whether it was done
 */
export async function decide(
  call: MongoCall,
  write: RowWrite,
  run: () => Promise<number | null>,
): Promise<number | 'gone' | 'conflict'> {
  for (let count = 0; count < MAX_TRIES; count += 1) {
    const version = await runOrReadBack(call, write, run)
    if (version !== null) return version
    const why = await explain(call, write)
    if (why !== 'again') return why
  }
  throw new MongoStoreError('a session kept changing, and nothing was written')
}

/** An error of a write may mean done, not done or done later: only the row itself tells. */
async function runOrReadBack(
  { db }: MongoCall,
  { id, writeId }: RowWrite,
  run: () => Promise<number | null>,
): Promise<number | null> {
  try {
    return await run()
  } catch (error) {
    const row = await db.sessions.findOne({ _id: id }, { ...db.reads, projection: { version: 1, writeId: 1 } })
    if (row?.writeId === writeId) return row.version
    throw error
  }
}

/** Why a write matched nothing. Reads what the primary has at the moment, as the write did. */
async function explain(call: MongoCall, write: RowWrite): Promise<number | 'gone' | 'conflict' | 'again'> {
  const row = await call.db.latest.findOne({ _id: write.id }, WITHOUT_FIELDS)
  if (row === null) return 'gone'
  // It was done by an attempt whose answer was lost.
  if (row.writeId === write.writeId) return row.version
  if (!isLive(row, write.now)) return 'gone'
  if (row.pending) return (await settle(call.db, row)) === 'committed' ? 'again' : 'gone'
  return write.ifVersion !== undefined && write.ifVersion !== row.version ? 'conflict' : 'again'
}

function isLive({ ended, idleExpiresAt, expiresAt }: Omit<SessionDocument, 'fields'>, now: number): boolean {
  return ended === undefined && idleExpiresAt.getTime() > now && expiresAt.getTime() > now
}
