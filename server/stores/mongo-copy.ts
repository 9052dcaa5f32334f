// Copying sessions out of and into MongoDB.

import { isLater, sessionEntries, type SessionEntry, type StoreEntry } from '../sessions/copyable-store.ts'
import { epochPage, sectionPage, type Section, type SectionPage } from './export-sections.ts'
import { EPOCH_KEPT_MS } from './lifetime.ts'
import type { ClaimDocument, EpochDocument } from './mongo-connection.ts'
import type { MongoCall } from './mongo-decide.ts'
import {
  deleteAfter,
  idOf,
  KEPT_MS,
  newWriteId,
  toDocument,
  toEnded,
  toId,
  toRecord,
  type SessionDocument,
} from './mongo-documents.ts'
import { codeOf, DUPLICATE_KEY, MongoStoreError } from './mongo-driver.ts'
import { withoutUncommitted } from './mongo-pending.ts'
import { epochName, readEpoch, STORE_EPOCH, userOfEpoch } from './mongo-users.ts'

/** Runs one page as a call of its own. */
type Run = (work: (call: MongoCall) => Promise<SectionPage>) => Promise<SectionPage>

type State = Pick<SessionDocument, '_id' | 'version' | 'lastSeenAt' | 'idleExpiresAt' | 'ended'>
type Replacement = { readonly replaceOne: { readonly filter: object; readonly replacement: SessionDocument } }

const STATE = { version: 1, lastSeenAt: 1, idleExpiresAt: 1, ended: 1 } as const
const MAX_TRIES = 20

export function mongoSections(run: Run): readonly Section[] {
  return [
    () => run(async (call) => epochPage(await readEpoch(call, undefined))),
    (after, limit) => run((call) => sessionsAfter(call, after, limit)),
    (after, limit) => run((call) => epochsAfter(call, after, limit)),
    (after, limit) => run((call) => claimsAfter(call, after, limit)),
  ]
}

/** Answers how many sessions it wrote. */
export async function importIntoMongo(call: MongoCall, entries: readonly StoreEntry[]): Promise<number> {
  for (const entry of entries) await takeLarger(call, entry)
  const sessions = sessionEntries(entries)
  return sessions.length === 0 ? 0 : importSessions(call, sessions)
}

async function sessionsAfter({ db }: MongoCall, after: string, limit: number): Promise<SectionPage> {
  const filter = after === '' ? {} : { _id: { $gt: toId(after) } }
  const rows = await db.sessions.find(filter, { ...db.reads, sort: { _id: 1 }, limit }).toArray()
  const last = rows.length < limit ? undefined : rows.at(-1)
  const counting = await withoutUncommitted(db, rows)
  return {
    entries: counting.map((row) => ({ kind: 'session', record: toRecord(row), ended: toEnded(row) })),
    last: last === undefined ? null : idOf(last).toString(),
  }
}

async function epochsAfter({ db }: MongoCall, after: string, limit: number): Promise<SectionPage> {
  const filter = { _id: { $gt: after, $ne: STORE_EPOCH } }
  const rows = await db.epochs.find(filter, { ...db.reads, sort: { _id: 1 }, limit }).toArray()
  return sectionPage<EpochDocument>(rows, limit, ({ _id: at, epoch, deleteAt }) => {
    const notedAt = (deleteAt?.getTime() ?? 0) - KEPT_MS - EPOCH_KEPT_MS
    return { at, entry: { kind: 'user-epoch', userId: userOfEpoch(at), epoch, notedAt } }
  })
}

async function claimsAfter({ db }: MongoCall, after: string, limit: number): Promise<SectionPage> {
  const rows = await db.claims.find({ _id: { $gt: after } }, { sort: { _id: 1 }, limit }).toArray()
  return sectionPage<ClaimDocument>(rows, limit, ({ _id: at, until }) => {
    return { at, entry: { kind: 'claim', name: at, until: until.getTime() } }
  })
}

async function takeLarger({ db, limit }: MongoCall, entry: StoreEntry): Promise<void> {
  const upsert = { upsert: true }
  if (entry.kind === 'epoch') {
    await limit.repeat(() => db.epochs.updateOne({ _id: STORE_EPOCH }, { $max: { epoch: entry.epoch } }, upsert))
  }
  if (entry.kind === 'user-epoch') {
    const noted = { epoch: entry.epoch, deleteAt: deleteAfter(entry.notedAt + EPOCH_KEPT_MS) }
    await limit.repeat(() => db.epochs.updateOne({ _id: epochName(entry.userId) }, { $max: noted }, upsert))
  }
  if (entry.kind === 'claim') {
    const larger = { until: new Date(entry.until), deleteAt: deleteAfter(entry.until) }
    const change = { $max: larger, $setOnInsert: { writeId: newWriteId() } }
    await limit.repeat(() => db.claims.updateOne({ _id: entry.name }, change, upsert))
  }
}

/**
 * New keys are inserted; a live row of an earlier state is replaced as it was read, so that nothing that happens to it meanwhile is
 * lost. No upsert, here neither.
 */
async function importSessions(call: MongoCall, sessions: readonly SessionEntry[]): Promise<number> {
  let written = 0
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const there = await readStates(call, sessions)
    const added = sessions.filter(({ record }) => !there.has(record.key))
    const replacements = sessions.flatMap((entry) => replaceEarlier(entry, there.get(entry.record.key)))
    const inserted = added.length === 0 ? 0 : await insertAll(call, added.map(toWhole))
    const replaced = replacements.length === 0 ? 0 : await replaceAll(call, replacements)
    written += inserted + replaced
    if (inserted === added.length && replaced === replacements.length) return written
  }
  throw new MongoStoreError('sessions kept changing while they were copied')
}

async function readStates({ db }: MongoCall, sessions: readonly SessionEntry[]): Promise<ReadonlyMap<string, State>> {
  const ids = sessions.map(({ record }) => toId(record.key))
  const rows = await db.latest.find({ _id: { $in: ids } }, { projection: STATE }).toArray()
  return new Map(rows.map((row) => [idOf(row).toString(), row]))
}

async function insertAll({ db, limit }: MongoCall, documents: readonly SessionDocument[]): Promise<number> {
  return limit.repeat(async () => {
    try {
      return (await db.latest.insertMany([...documents], { ordered: false })).insertedCount
    } catch (error) {
      // Somebody else made one of them, or an attempt whose answer was lost: the next look tells.
      if (codeOf(error) !== DUPLICATE_KEY) throw error
      return insertedBefore(error)
    }
  })
}

async function replaceAll({ db, limit }: MongoCall, operations: readonly Replacement[]): Promise<number> {
  const { modifiedCount } = await limit.repeat(() => db.latest.bulkWrite([...operations], { ordered: false }))
  return modifiedCount
}

function toWhole({ record, ended }: SessionEntry): SessionDocument {
  const document = toDocument(record, newWriteId())
  return ended === null ? document : { ...document, ended: { reason: ended.reason, at: new Date(ended.endedAt) } }
}

/** Nothing where what is there has ended, or is as late. */
function replaceEarlier(entry: SessionEntry, there: State | undefined): readonly Replacement[] {
  if (there === undefined || there.ended !== undefined) return []
  const { version, lastSeenAt, idleExpiresAt } = there
  const times = { lastSeenAt: lastSeenAt.getTime(), idleExpiresAt: idleExpiresAt.getTime() }
  if (!isLater(entry, { version, ...times })) return []
  const filter = { _id: toId(entry.record.key), ended: { $exists: false }, version, lastSeenAt, idleExpiresAt }
  return [{ replaceOne: { filter, replacement: toWhole(entry) } }]
}

/** An unordered insert does all that it can before it fails. */
function insertedBefore(error: unknown): number {
  const count = error instanceof Error && 'insertedCount' in error ? error.insertedCount : 0
  return typeof count === 'number' ? count : 0
}
