// Copying sessions out of and into PostgreSQL.

import { sessionEntries, type SessionEntry, type StoreEntry } from '../sessions/copyable-store.ts'
import { epochPage, sectionPage, type Section, type SectionPage } from './export-sections.ts'
import type { PostgresPool } from './postgres-pool.ts'
import { toColumns, toEnded, toFields, toRow, type SessionRow } from './postgres-rows.ts'
import { INSERTED, type Statement, type Statements } from './postgres-statements.ts'

type EpochRow = readonly [userId: string, epoch: string, notedAt: string]
type ClaimRow = readonly [name: string, until: string]

const END_REASON = 17
const NAMES = INSERTED.split(',').map((name) => name.trim())
/** Doing it twice is the same as doing it once. */
const REPEATABLE = { repeatable: true }

export function postgresSections(pool: PostgresPool, sql: Statements): readonly Section[] {
  const pages = <Row>(statement: Statement, toEntry: Parameters<typeof sectionPage<Row>>[2]): Section => {
    return async (after, limit): Promise<SectionPage> => {
      const { rows } = await pool.run(statement, [after, limit], REPEATABLE)
      return sectionPage(rows as unknown as readonly Row[], limit, toEntry) // the statement selects these columns
    }
  }
  return [
    async () => epochPage(Number((await pool.run(sql.epoch, [], REPEATABLE)).rows[0]?.[0] ?? 0)),
    pages<SessionRow>(sql.exportSessions, (row) => {
      const record = { ...toColumns(row), fields: toFields(row) }
      return { at: record.key, entry: { kind: 'session', record, ended: toEnded(row) } }
    }),
    pages<EpochRow>(sql.exportEpochs, ([userId, epoch, notedAt]) => {
      return { at: userId, entry: { kind: 'user-epoch', userId, epoch: Number(epoch), notedAt: Number(notedAt) } }
    }),
    pages<ClaimRow>(sql.exportClaims, ([name, until]) => {
      return { at: name, entry: { kind: 'claim', name, until: Number(until) } }
    }),
  ]
}

/** Answers how many sessions it wrote. */
export async function importIntoPostgres(
  pool: PostgresPool,
  sql: Statements,
  entries: readonly StoreEntry[],
): Promise<number> {
  for (const entry of entries) {
    if (entry.kind === 'epoch') await pool.run(sql.importEpoch, [entry.epoch], REPEATABLE)
    if (entry.kind === 'user-epoch') {
      await pool.run(sql.importUserEpoch, [entry.userId, entry.epoch, entry.notedAt], REPEATABLE)
    }
    if (entry.kind === 'claim') await pool.run(sql.importClaim, [entry.name, entry.until], REPEATABLE)
  }
  const sessions = sessionEntries(entries)
  if (sessions.length === 0) return 0
  const { rows } = await pool.run(sql.importSessions, [JSON.stringify(sessions.map(toObject))], REPEATABLE)
  return Number(rows[0]?.[0])
}

/** A row by the names of its columns. */
function toObject({ record, ended }: SessionEntry): object {
  const values = toRow(record)
  const fields = JSON.parse(String(values.at(-1))) as object // the text that toRow has made of them
  const end = ended === null ? [null, null, fields] : [ended.reason, ended.endedAt, null]
  return Object.fromEntries<unknown>(
    [...values.slice(0, END_REASON), ...end].map((value, i) => [NAMES[i] ?? '', value]),
  )
}
