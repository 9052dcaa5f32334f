// The calls on session rows, each one command that decides in its filter whether it may.

import { setTimeout as delay } from 'node:timers/promises'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../sessions/store.ts'
import { timedOut } from './lifetime.ts'
import { allowing, decide, type MongoCall, type RowWrite } from './mongo-decide.ts'
import { toChange } from './mongo-change.ts'
import {
  endedBy,
  idOf,
  liveAt,
  newWriteId,
  toColumns,
  toDocument,
  toEnded,
  toId,
  toRecord,
  type SessionDocument,
} from './mongo-documents.ts'
import { codeOf, DUPLICATE_KEY, MongoStoreError } from './mongo-driver.ts'
import { confirm, settle, withdraw, withoutUncommitted, WITHOUT_FIELDS } from './mongo-pending.ts'

/** Touches of one command: it has to be done within half of a call's time. */
const TOUCH_BATCH = 200
/** How long a key is waited for that a replace has taken and may leave again. */
const MAX_PAUSE_MS = 64

export async function findSession({ db }: MongoCall, key: string, now: number): Promise<FindResult> {
  const row = await db.sessions.findOne({ _id: toId(key) }, db.reads)
  if (row === null) return undefined
  if (row.pending && (await settle(db, row)) !== 'committed') return undefined
  const ended = toEnded(row) ?? timedOut(toColumns(row), now)
  return ended ? { ended } : { live: toRecord(row) }
}

export async function createSession(call: MongoCall, record: SessionRecord): Promise<void> {
  if ((await insert(call, toDocument(record, newWriteId()))) === 'taken') throw keyTaken()
}

export async function updateSession(
  call: MongoCall,
  key: string,
  update: SessionUpdate,
  now: number,
): Promise<number | 'gone' | 'conflict'> {
  const write: RowWrite = { id: toId(key), now, ifVersion: update.ifVersion, writeId: newWriteId() }
  const change = toChange(update, write.writeId)
  return decide(call, write, async () => {
    // Without `ifVersion` only the step itself knows which version it made.
    const options = { projection: { version: 1 }, returnDocument: 'after' } as const
    const row = await call.db.latest.findOneAndUpdate(allowing(write), change, options)
    return row?.version ?? null
  })
}

/** Also touches a successor whose replace is being committed: it counts in a moment or never. */
export async function touchSessions({ db, limit }: MongoCall, touches: readonly SessionTouch[], now: number) {
  for (let start = 0; start < touches.length; start += TOUCH_BATCH) {
    const operations = touches.slice(start, start + TOUCH_BATCH).map(({ key, lastSeenAt, idleExpiresAt }) => ({
      updateOne: {
        filter: { _id: toId(key), ...liveAt(now) },
        update: { $max: { lastSeenAt: new Date(lastSeenAt), idleExpiresAt: new Date(idleExpiresAt) } },
      },
    }))
    await limit.repeat(() => db.latest.bulkWrite(operations, { ordered: false }))
  }
}

/** Three steps, of which the second is the commit; see mongo-pending.ts. */
export async function replaceSession(
  call: MongoCall,
  oldKey: string,
  record: SessionRecord,
  { ifVersion, now }: { readonly ifVersion: number | undefined; readonly now: number },
): Promise<'replaced' | 'gone' | 'conflict'> {
  const write: RowWrite = { id: toId(oldKey), now, ifVersion, writeId: newWriteId() }
  const document = toDocument(record, newWriteId())
  const next: SessionDocument = { ...document, pending: true, replaces: write.id }
  if ((await insert(call, next)) === 'taken') return whyTaken(call, write)
  const outcome = await decide(call, write, () => commit(call, write, next))
  if (typeof outcome === 'number') await confirm(call.db, next)
  else await withdraw(call.db, next)
  return typeof outcome === 'number' ? 'replaced' : outcome
}

export async function endSession(call: MongoCall, key: string, reason: EndReason, now: number): Promise<number> {
  const write: RowWrite = { id: toId(key), now, writeId: newWriteId() }
  const change = endedBy(reason, now, write.writeId)
  const outcome = await decide(call, write, async () => {
    const { matchedCount } = await call.limit.repeat(() => call.db.latest.updateOne(allowing(write), change))
    return matchedCount === 0 ? null : matchedCount
  })
  return typeof outcome === 'number' ? 1 : 0
}

export async function listSessions({ db }: MongoCall, userId: string, now: number): Promise<readonly SessionColumns[]> {
  const rows = await db.sessions.find({ userId, ...liveAt(now) }, { ...db.reads, ...WITHOUT_FIELDS }).toArray()
  const counting = await withoutUncommitted(db, rows)
  return counting.map(toColumns).toSorted((a, b) => b.createdAt - a.createdAt)
}

export async function scanSessions({ db }: MongoCall, cursor: string | null, limit: number): Promise<ScanPage> {
  const after = cursor === null ? {} : { _id: { $gt: toId(cursor) } }
  const options = { ...db.reads, ...WITHOUT_FIELDS, sort: { _id: 1 }, limit } as const
  const rows = await db.sessions.find(after, options).toArray()
  const counting = await withoutUncommitted(db, rows)
  const last = rows.length < limit ? undefined : rows.at(-1)
  return {
    sessions: counting.map((row) => ({ ...toColumns(row), ended: toEnded(row) })),
    cursor: last === undefined ? null : idOf(last).toString(),
  }
}

async function insert(call: MongoCall, document: SessionDocument): Promise<'inserted' | 'taken'> {
  for (let pauseMs = 1; ; pauseMs *= 2) {
    try {
      await call.db.latest.insertOne(document)
      return 'inserted'
    } catch (error) {
      const found = await call.db.sessions.findOne({ _id: idOf(document) }, { ...call.db.reads, ...WITHOUT_FIELDS })
      if (found?.writeId === document.writeId) return 'inserted' // the answer was lost, or the driver's second try met its first
      if (codeOf(error) !== DUPLICATE_KEY) throw error
      if (found !== null && !(await leaves(call, found))) return 'taken'
    }
    if (call.limit.isOver || pauseMs > MAX_PAUSE_MS) return 'taken'
    await delay(pauseMs)
  }
}

/** Whether a row in the way may be gone in a moment: it waits for a replace that may not come. */
async function leaves({ db }: MongoCall, row: Omit<SessionDocument, 'fields'>): Promise<boolean> {
  if (!row.pending) return false
  const settled = await settle(db, row)
  if (settled === 'void') await withdraw(db, row)
  return settled !== 'committed'
}

async function whyTaken(call: MongoCall, write: RowWrite): Promise<'gone' | 'conflict'> {
  const outcome = await decide(call, write, async () => {
    const row = await call.db.latest.findOne(allowing(write), { projection: { version: 1 } })
    return row?.version ?? null
  })
  if (typeof outcome === 'number') throw keyTaken()
  return outcome
}

async function commit({ db }: MongoCall, write: RowWrite, next: SessionDocument): Promise<number | null> {
  const { $set, $inc } = endedBy('rotated', write.now, write.writeId)
  const { matchedCount } = await db.latest.updateOne(allowing(write), {
    $set: { ...$set, successor: idOf(next) },
    // As long as the successor may ask for it.
    $max: { deleteAt: next.deleteAt },
    $inc,
  })
  return matchedCount === 0 ? null : matchedCount
}

function keyTaken(): Error {
  return new MongoStoreError('a session with this key exists already')
}
