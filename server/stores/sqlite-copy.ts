// Copying sessions out of and into a SQLite file.

import type { SQLInputValue } from 'node:sqlite'
import { sessionEntries, type SessionEntry, type StoreEntry } from '../sessions/copyable-store.ts'
import { epochPage, sectionPage, type Section, type SectionPage } from './export-sections.ts'
import { unpackFields } from './pack-fields.ts'
import type { SqliteConnection } from './sqlite-connection.ts'
import { toColumns, toEnded, toRow, type SessionRow } from './sqlite-rows.ts'
import type { Statements } from './sqlite-statements.ts'

type EpochRow = readonly [userId: string, epoch: number, notedAt: number]
type ClaimRow = readonly [name: string, until: number]

const END_REASON = 17
const FIELDS = 19
const NO_FIELDS: ReadonlyMap<string, Uint8Array> = new Map()

/** Each page is a transaction by itself. */
export function sqliteSections(connection: SqliteConnection): readonly Section[] {
  const pages = (read: (sql: Statements, after: string, limit: number) => SectionPage): Section => {
    return (after, limit) => connection.read((sql) => read(sql, after, limit))
  }
  // Rows come as arrays, with the columns that the statements name.
  return [
    pages((sql) => epochPage((sql.epoch.get() as unknown as readonly [number])[0])),
    pages((sql, after, limit) =>
      sectionPage(sql.exportSessions.all(after, limit) as unknown as readonly SessionRow[], limit, sessionOf),
    ),
    pages((sql, after, limit) =>
      sectionPage(sql.exportEpochs.all(after, limit) as unknown as readonly EpochRow[], limit, epochOf),
    ),
    pages((sql, after, limit) =>
      sectionPage(sql.exportClaims.all(after, limit) as unknown as readonly ClaimRow[], limit, claimOf),
    ),
  ]
}

/** Runs in one transaction. Answers how many sessions it wrote. */
export function importIntoSqlite(sql: Statements, entries: readonly StoreEntry[]): number {
  for (const entry of entries) {
    if (entry.kind === 'epoch') sql.importEpoch.run(entry.epoch)
    if (entry.kind === 'user-epoch') sql.importUserEpoch.run(entry.userId, entry.epoch, entry.notedAt)
    if (entry.kind === 'claim') sql.importClaim.run(entry.name, entry.until)
  }
  const sessions = sessionEntries(entries)
  return sessions.reduce((written, entry) => written + Number(sql.importSession.run(...rowOf(entry)).changes), 0)
}

function sessionOf(row: SessionRow) {
  const packed = row[FIELDS]
  const record = { ...toColumns(row), fields: packed === null ? NO_FIELDS : unpackFields(packed) }
  return { at: record.key, entry: { kind: 'session', record, ended: toEnded(row) } as const }
}

function epochOf([userId, epoch, notedAt]: EpochRow) {
  return { at: userId, entry: { kind: 'user-epoch', userId, epoch, notedAt } as const }
}

function claimOf([name, until]: ClaimRow) {
  return { at: name, entry: { kind: 'claim', name, until } as const }
}

function rowOf({ record, ended }: SessionEntry): SQLInputValue[] {
  const row = toRow(record)
  return ended === null ? row : [...row.slice(0, END_REASON), ended.reason, ended.endedAt, null]
}
