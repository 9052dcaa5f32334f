// The columns of a row after an update. Only what may change does, whatever else the object holds.

import type { MutableColumns, SessionColumns } from '../sessions/record.ts'

/** Columns that an update may set, in the order in which SQL statements name them. */
export const MUTABLE_COLUMNS = [
  'authTime',
  'validatedAt',
  'lastSeenAt',
  'idleExpiresAt',
  'tokenExpiresAt',
  'amr',
  'device',
  'ip',
  'cookie',
] as const satisfies readonly (keyof MutableColumns)[]

/** `row` with the given columns; one that is missing or `undefined` stays as it is. */
export function mergeColumns<T extends SessionColumns>(row: T, columns: Partial<MutableColumns> | undefined): T {
  if (columns === undefined) return row
  const given = MUTABLE_COLUMNS.filter((name) => columns[name] !== undefined)
  return { ...row, ...Object.fromEntries(given.map((name) => [name, columns[name]])) }
}
