// A session as a Redis hash: one field per plain column under the column's name, one per sealed field under `f:` and its name.
// What is null has no field.

import type { EndedSession, MutableColumns, SessionColumns, SessionRecord } from '../../sessions/record.ts'
import type { EndReason } from '../../sessions/reasons.ts'
import type { SessionUpdate } from '../../sessions/store.ts'
import { MUTABLE_COLUMNS } from '../merge-columns.ts'
import type { RedisArgument } from './driver.ts'

export interface RedisRow {
  readonly record: SessionRecord
  readonly ended: EndedSession | null
}

/** The columns of a row, in the order in which `readColumns` expects them. */
export const ROW_FIELDS = [
  'handle',
  'userId',
  'collection',
  'createdAt',
  'authTime',
  'validatedAt',
  'lastSeenAt',
  'idleExpiresAt',
  'expiresAt',
  'tokenExpiresAt',
  'amr',
  'device',
  'ip',
  'remembered',
  'cookie',
  'version',
  'reason',
  'endedAt',
] as const

type Column = keyof Omit<SessionColumns, 'key'>
type RowText = Readonly<Partial<Record<(typeof ROW_FIELDS)[number], string | null>>>

const SEALED = 'f:'

/** Field, value, field, value … of a new row. */
export function writeRow(record: SessionRecord): readonly RedisArgument[] {
  const columns = ROW_FIELDS.filter((name): name is Column => name !== 'reason' && name !== 'endedAt')
  return [
    ...columns.flatMap((name) => (record[name] === null ? [] : [name, toText(record[name])])),
    ...writeSealed(record.fields),
  ]
}

/** What an update removes, and what it sets: field, value, field, value … */
export function writeUpdate({ set, unset = [], columns = {} }: SessionUpdate) {
  const given = MUTABLE_COLUMNS.filter((name) => columns[name] !== undefined)
  const nulls = given.filter((name) => columns[name] === null)
  const values = given.flatMap((name) => writeColumn(name, columns))
  return {
    remove: [...nulls, ...unset.map((name) => SEALED + name)],
    put: [...values, ...(set === undefined ? [] : writeSealed(set))],
  }
}

/** @param flat answer of HGETALL as Buffers: field, value, field, value … */
export function readRow(key: string, flat: readonly Buffer[]): RedisRow | undefined {
  const texts: Record<string, string> = {}
  const fields = new Map<string, Uint8Array>()
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const [name, value] = [flat[i]?.toString() ?? '', flat[i + 1] ?? Buffer.alloc(0)]
    if (name.startsWith(SEALED)) fields.set(name.slice(SEALED.length), value)
    else texts[name] = value.toString()
  }
  return read(key, texts, fields)
}

/** @param values answer of HMGET for `ROW_FIELDS` */
export function readColumns(key: string, values: readonly (string | null)[]): RedisRow | undefined {
  return read(key, Object.fromEntries(ROW_FIELDS.map((name, i) => [name, values[i] ?? null])), new Map())
}

export function columnsOf({ record }: RedisRow): SessionColumns {
  const { fields: _, ...columns } = record
  return columns
}

function read(key: string, row: RowText, fields: SessionRecord['fields']): RedisRow | undefined {
  if (!row.version) return undefined
  const userId = row.userId ?? null
  const record: SessionRecord = {
    key,
    handle: row.handle ?? '',
    userId,
    collection: row.collection ?? null,
    createdAt: Number(row.createdAt),
    authTime: toNumber(row.authTime),
    validatedAt: toNumber(row.validatedAt),
    lastSeenAt: Number(row.lastSeenAt),
    idleExpiresAt: Number(row.idleExpiresAt),
    expiresAt: Number(row.expiresAt),
    tokenExpiresAt: toNumber(row.tokenExpiresAt),
    amr: JSON.parse(row.amr ?? '[]') as string[], // written by toText
    device: row.device ?? '',
    ip: row.ip ?? '',
    remembered: row.remembered === 'true',
    cookie: toNumber(row.cookie),
    version: Number(row.version),
    fields,
  }
  const reason = row.reason as EndReason | null | undefined // written by our scripts
  return { record, ended: reason ? { reason, endedAt: Number(row.endedAt), userId } : null }
}

function writeColumn(name: keyof MutableColumns, columns: Partial<MutableColumns>): readonly string[] {
  const value = columns[name]
  return value === undefined || value === null ? [] : [name, toText(value)]
}

function writeSealed(fields: SessionRecord['fields']): readonly RedisArgument[] {
  return [...fields].flatMap(([name, { buffer, byteOffset, byteLength }]) => [
    SEALED + name,
    Buffer.from(buffer, byteOffset, byteLength),
  ])
}

function toText(value: SessionColumns[Column]): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function toNumber(text: string | null | undefined): number | null {
  return text === null || text === undefined ? null : Number(text)
}
