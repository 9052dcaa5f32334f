// Every SQL statement of the SQLite store, prepared once. Parameters in the order of the question marks.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { overOlder } from './over-older.ts'
import { COLUMNS } from './sqlite-rows.ts'

export type Statements = Readonly<Record<keyof typeof SQL, StatementSync>>

/** Parameters: now, now. */
const LIVE = 'end_reason IS NULL AND idle_expires_at > ? AND expires_at > ?'
/** Parameters: reason, now. What the row held is erased. */
const ENDED = "end_reason = ?, ended_at = ?, fields = NULL, device = '', ip = '', version = version + 1"

const SQL = {
  begin: 'BEGIN IMMEDIATE',
  commit: 'COMMIT',

  dataVersion: 'PRAGMA data_version',
  findVersion: 'SELECT version, last_seen_at, idle_expires_at FROM sessions WHERE key = ? AND end_reason IS NULL',
  find: `SELECT ${COLUMNS}, fields FROM sessions WHERE key = ?`,
  insert: `INSERT INTO sessions (${COLUMNS}, fields) VALUES (${Array(20).fill('?').join(', ')})`,
  update: `UPDATE sessions SET auth_time = ?, validated_at = ?, last_seen_at = ?, idle_expires_at = ?, token_expires_at = ?,
    amr = ?, device = ?, ip = ?, cookie = ?, version = ?, fields = ? WHERE key = ?`,
  touch: `UPDATE sessions SET last_seen_at = max(last_seen_at, ?), idle_expires_at = max(idle_expires_at, ?)
    WHERE key = ? AND ${LIVE}`,
  end: `UPDATE sessions SET ${ENDED} WHERE key = ? AND ${LIVE}`,
  endByUser: `UPDATE sessions SET ${ENDED} WHERE user_id = ? AND key IS NOT ? AND ${LIVE} RETURNING key`,
  listByUser: `SELECT ${COLUMNS} FROM sessions WHERE user_id = ? AND ${LIVE} ORDER BY created_at DESC`,
  scan: `SELECT ${COLUMNS} FROM sessions WHERE key > ? ORDER BY key LIMIT ?`,

  raiseEpoch: 'UPDATE store_epoch SET epoch = epoch + 1',
  noteEpoch: `INSERT INTO user_epochs (user_id, epoch, noted_at) VALUES (?, (SELECT epoch FROM store_epoch), ?)
    ON CONFLICT (user_id) DO UPDATE SET epoch = excluded.epoch, noted_at = excluded.noted_at`,
  epoch: 'SELECT epoch FROM store_epoch',
  userEpoch: 'SELECT epoch FROM user_epochs WHERE user_id = ?',

  claim: `INSERT INTO claims (name, until) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE claims.until <= ?`,
  release: 'DELETE FROM claims WHERE name = ?',
  findCounter: 'SELECT count, reset_at FROM counters WHERE name = ?',
  setCounter: 'INSERT OR REPLACE INTO counters (name, count, reset_at) VALUES (?, ?, ?)',
  reset: 'DELETE FROM counters WHERE name = ?',

  exportSessions: `SELECT ${COLUMNS}, fields FROM sessions WHERE key > ? ORDER BY key LIMIT ?`,
  exportEpochs: 'SELECT user_id, epoch, noted_at FROM user_epochs WHERE user_id > ? ORDER BY user_id LIMIT ?',
  exportClaims: 'SELECT name, until FROM claims WHERE name > ? ORDER BY name LIMIT ?',
  importSession: `INSERT INTO sessions (${COLUMNS}, fields) VALUES (${Array(20).fill('?').join(', ')})
    ${overOlder('sessions', COLUMNS)}`,
  importEpoch: 'UPDATE store_epoch SET epoch = max(epoch, ?)',
  importUserEpoch: `INSERT INTO user_epochs (user_id, epoch, noted_at) VALUES (?, ?, ?)
    ON CONFLICT (user_id) DO UPDATE SET epoch = max(epoch, excluded.epoch), noted_at = max(noted_at, excluded.noted_at)`,
  importClaim: `INSERT INTO claims (name, until) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET until = max(until, excluded.until)`,

  deleteSessions: deleteUpTo('sessions', 'expires_at'),
  deleteClaims: deleteUpTo('claims', 'until'),
  deleteCounters: deleteUpTo('counters', 'reset_at'),
  deleteEpochs: deleteUpTo('user_epochs', 'noted_at'),
} as const

/** Rows come as arrays: half the time of objects. */
export function prepareStatements(db: DatabaseSync): Statements {
  const prepared = Object.entries(SQL).map(([name, sql]) => {
    const statement = db.prepare(sql)
    statement.setReturnArrays(true)
    return [name, statement]
  })
  return Object.fromEntries(prepared) as Statements // the keys are those of SQL
}

/** Parameters: the latest time that goes, and how many rows. */
function deleteUpTo(table: string, column: string): string {
  return `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE ${column} <= ? LIMIT ?)`
}
