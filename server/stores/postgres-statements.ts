// Every SQL statement of the PostgreSQL store, by table prefix. Each is atomic by itself: no call needs a transaction.

import { MUTABLE_COLUMNS } from './merge-columns.ts'
import { overOlder } from './over-older.ts'

/** A prepared statement: PostgreSQL parses and plans it once a connection. */
export interface Statement {
  readonly name: string
  readonly text: string
}

export type Statements = Readonly<Record<keyof ReturnType<typeof textsOf>, Statement>>

/** The plain columns in the order of `postgres-rows.ts`. */
const COLUMNS = `key, handle, user_id, collection, created_at, auth_time, validated_at, last_seen_at, idle_expires_at,
  expires_at, token_expires_at, amr, device, ip, remembered, cookie, version, end_reason, ended_at`
/** The columns of a whole row. */
export const INSERTED = `${COLUMNS}, fields`

const TYPE_OF = { amr: 'text', device: 'text', ip: 'text' } as const

/**
 * On which it is told what has changed: keys, or nothing for all. The same for all schemas of a database, since the same tables
 * can be found with and without the schema's name.
 */
export const CHANNEL = 'pbs_sessions'

/** @param prefix stands before each table's name; it is part of the SQL, so it must have been checked. */
export function createStatements(prefix: string): Statements {
  const named = Object.entries(textsOf(prefix)).map(([name, text]) => [name, { name: `pbs_${name}`, text }])
  return Object.fromEntries(named) as Statements // the keys are those of textsOf
}

/** Is the row live? `$now` is the number of the parameter. */
function live(table: string, $now: number): string {
  return `${table}.end_reason IS NULL AND ${table}.idle_expires_at > $${$now} AND ${table}.expires_at > $${$now}`
}

/** What the row held is erased. The parameters are the numbers of reason and time. */
function ended($reason: number, $now: number): string {
  return `end_reason = $${$reason}, ended_at = $${$now}, fields = NULL, device = '', ip = '', version = version + 1`
}

function told(key: string): string {
  return `pg_notify('${CHANNEL}', ${key})`
}

function textsOf(prefix: string) {
  const sessions = `${prefix}sessions`
  /**
   * Tells of what the transaction ends when it commits, if there may be anybody to tell. For that moment, syncing to the disk
   * included, no other that tells something can commit: it is worth that where a session ends, and not for every change.
   */
  const endingsTold = (rows: string): string =>
    `SELECT CASE WHEN rows_are_kept THEN ${told('key')}::text END FROM ${rows}, ${prefix}schema`
  return {
    find: `SELECT ${COLUMNS}, fields FROM ${sessions} WHERE key = $1`,
    // DO NOTHING, so that the server's log does not show the key that was there already.
    insert: `INSERT INTO ${sessions} (${INSERTED}) VALUES (${parameters(1, 20)}) ON CONFLICT DO NOTHING`,
    isMine: `SELECT FROM ${sessions} WHERE key = $1 AND handle = $2`,
    version: `SELECT version FROM ${sessions} WHERE key = $1 AND ${live(sessions, 2)}`,
    update: `UPDATE ${sessions} SET ${givenColumns(6)}, fields = (fields - $4::text[]) || $5::jsonb, version = version + 1
      WHERE key = $1 AND ${live(sessions, 2)} AND ($3::bigint IS NULL OR version = $3) RETURNING version`,
    // Rows are locked in the order of their keys: two batches that overlap wait for each other, and never in a circle.
    touch: `UPDATE ${sessions} AS s SET last_seen_at = greatest(s.last_seen_at, t.seen), idle_expires_at = greatest(s.idle_expires_at, t.idle)
      FROM (SELECT k.key, k.seen, k.idle FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS k (key, seen, idle)
        JOIN ${sessions} AS l ON l.key = k.key COLLATE "C" ORDER BY l.key FOR NO KEY UPDATE OF l) AS t
      WHERE s.key = t.key AND ${live('s', 4)}`,
    replace: `WITH old AS (UPDATE ${sessions} SET ${ended(21, 22)}
        WHERE key = $23 AND ${live(sessions, 22)} AND ($24::bigint IS NULL OR version = $24) RETURNING key),
      new AS (INSERT INTO ${sessions} (${INSERTED}) SELECT ${parameters(1, 20)} FROM old)
      ${endingsTold('old')}`,
    end: `WITH done AS (UPDATE ${sessions} SET ${ended(2, 3)} WHERE key = $1 AND ${live(sessions, 3)} RETURNING key)
      ${endingsTold('done')}`,
    endByUser: `WITH done AS (UPDATE ${sessions} AS s SET ${ended(3, 4)}
        FROM (SELECT key FROM ${sessions} AS l WHERE user_id = $1 AND key IS DISTINCT FROM $2 AND ${live('l', 4)}
          ORDER BY key FOR NO KEY UPDATE) AS t
        WHERE s.key = t.key AND ${live('s', 4)} RETURNING s.key)
      ${endingsTold('done')}`,
    rowsAreKept: `SELECT FROM ${prefix}schema WHERE rows_are_kept`,
    announce: `SELECT ${told('key')} FROM unnest($1::text[]) AS k (key)`,
    listByUser: `SELECT ${COLUMNS} FROM ${sessions} WHERE user_id = $1 AND ${live(sessions, 2)} ORDER BY created_at DESC`,
    scan: `SELECT ${COLUMNS} FROM ${sessions} WHERE key > $1 ORDER BY key LIMIT $2`,
    ...epochTexts(prefix),
    ...counterTexts(prefix),
    ...copyTexts(prefix),
    deleteSessions: deleteUpTo(sessions, 'key', 'expires_at'),
    deleteClaims: deleteUpTo(`${prefix}claims`, 'name', 'expires_at'),
    deleteCounters: deleteUpTo(`${prefix}counters`, 'name', 'reset_at'),
    deleteEpochs: deleteUpTo(`${prefix}user_epochs`, 'user_id', 'noted_at'),
  } as const
}

function epochTexts(prefix: string) {
  return {
    epoch: `SELECT epoch FROM ${prefix}epoch`,
    userEpoch: `SELECT epoch FROM ${prefix}user_epochs WHERE user_id = $1`,
    // The row of the store's epoch stays locked until the end of the statement: two users get two epochs, in order.
    raiseEpoch: `WITH raised AS (UPDATE ${prefix}epoch SET epoch = epoch + 1 RETURNING epoch)
      INSERT INTO ${prefix}user_epochs AS u (user_id, epoch, noted_at) SELECT $1, epoch, $2 FROM raised
      ON CONFLICT (user_id) DO UPDATE SET epoch = greatest(u.epoch, excluded.epoch), noted_at = greatest(u.noted_at, excluded.noted_at)`,
  } as const
}

function counterTexts(prefix: string) {
  return {
    claim: `INSERT INTO ${prefix}claims AS c (name, expires_at) VALUES ($1, $2)
      ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at WHERE c.expires_at <= $3`,
    release: `DELETE FROM ${prefix}claims WHERE name = $1`,
    counter: `SELECT count, reset_at FROM ${prefix}counters WHERE name = $1 AND reset_at > $2`,
    hit: `INSERT INTO ${prefix}counters AS c (name, count, reset_at) VALUES ($1, 1, $2)
      ON CONFLICT (name) DO UPDATE SET count = CASE WHEN c.reset_at > $3 THEN c.count + 1 ELSE 1 END,
        reset_at = CASE WHEN c.reset_at > $3 THEN c.reset_at ELSE excluded.reset_at END
      RETURNING count, reset_at`,
    reset: `DELETE FROM ${prefix}counters WHERE name = $1`,
  } as const
}

function copyTexts(prefix: string) {
  const sessions = `${prefix}sessions`
  const larger = (table: string, name: string): string => `${name} = greatest(${table}.${name}, excluded.${name})`
  return {
    exportSessions: `SELECT ${INSERTED} FROM ${sessions} WHERE key > $1 ORDER BY key LIMIT $2`,
    exportEpochs: `SELECT user_id, epoch, noted_at FROM ${prefix}user_epochs WHERE user_id > $1 ORDER BY user_id LIMIT $2`,
    exportClaims: `SELECT name, expires_at FROM ${prefix}claims WHERE name > $1 ORDER BY name LIMIT $2`,
    // Rows come in the order of their keys, in which touches lock them too.
    importSessions: `WITH done AS (INSERT INTO ${sessions} AS s (${INSERTED})
        SELECT ${INSERTED} FROM jsonb_populate_recordset(NULL::${sessions}, $1::jsonb) ${overOlder('s', COLUMNS)} RETURNING key)
      SELECT count(*), ${told("''")} FROM done`,
    importEpoch: `UPDATE ${prefix}epoch SET epoch = greatest(epoch, $1)`,
    importUserEpoch: `INSERT INTO ${prefix}user_epochs AS u (user_id, epoch, noted_at) VALUES ($1, $2, $3)
      ON CONFLICT (user_id) DO UPDATE SET ${larger('u', 'epoch')}, ${larger('u', 'noted_at')}`,
    importClaim: `INSERT INTO ${prefix}claims AS c (name, expires_at) VALUES ($1, $2)
      ON CONFLICT (name) DO UPDATE SET ${larger('c', 'expires_at')}`,
  } as const
}

/** Assignments for an update: parameter `$first` has a bit for each column that is given, the values follow. */
function givenColumns($first: number): string {
  const assignments = MUTABLE_COLUMNS.map((name, i) => {
    const column = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const type = name in TYPE_OF ? TYPE_OF[name as keyof typeof TYPE_OF] : 'bigint' // just looked up
    return `${column} = CASE WHEN ($${$first}::int & ${1 << i}) > 0 THEN $${$first + 1 + i}::${type} ELSE ${column} END`
  })
  return assignments.join(', ')
}

/** Parameters: the latest time that goes, and how many rows. Rows that another node is deleting are passed over. */
function deleteUpTo(table: string, key: string, time: string): string {
  return `DELETE FROM ${table} WHERE ${time} <= $1 AND ${key} IN
    (SELECT ${key} FROM ${table} WHERE ${time} <= $1 ORDER BY ${time} LIMIT $2 FOR UPDATE SKIP LOCKED)`
}

function parameters(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, i) => `$${from + i}`).join(', ')
}
