// The tables of the SQLite store, and how an older file becomes a newer one.

import type { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '../errors.ts'

/** Marks a file as ours (`PRAGMA application_id`): "pbss". */
const APPLICATION_ID = 0x70_62_73_73

/** One entry per version of the schema; never changed, only added to. */
const MIGRATIONS = [
  `
  CREATE TABLE sessions (
    key TEXT NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL,
    user_id TEXT,
    collection TEXT,
    created_at INTEGER NOT NULL,
    auth_time INTEGER,
    validated_at INTEGER,
    last_seen_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    token_expires_at INTEGER,
    amr TEXT NOT NULL,
    device TEXT NOT NULL,
    ip TEXT NOT NULL,
    remembered INTEGER NOT NULL,
    cookie INTEGER,
    version INTEGER NOT NULL,
    end_reason TEXT,
    ended_at INTEGER,
    fields BLOB
  ) STRICT;
  CREATE INDEX sessions_of_user ON sessions (user_id, created_at) WHERE user_id IS NOT NULL AND end_reason IS NULL;
  CREATE INDEX sessions_by_expiry ON sessions (expires_at);

  CREATE TABLE store_epoch (only INTEGER PRIMARY KEY CHECK (only = 1), epoch INTEGER NOT NULL) STRICT;
  INSERT INTO store_epoch VALUES (1, 0);
  CREATE TABLE user_epochs (user_id TEXT NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, noted_at INTEGER NOT NULL) STRICT;
  CREATE INDEX user_epochs_by_age ON user_epochs (noted_at);

  CREATE TABLE claims (name TEXT NOT NULL PRIMARY KEY, until INTEGER NOT NULL) STRICT;
  CREATE INDEX claims_by_expiry ON claims (until);
  CREATE TABLE counters (name TEXT NOT NULL PRIMARY KEY, count INTEGER NOT NULL, reset_at INTEGER NOT NULL) STRICT;
  CREATE INDEX counters_by_expiry ON counters (reset_at);
  `,
]

/** Whether the file is ours or still empty. Reads only. */
export function isOurs(db: DatabaseSync): boolean {
  const id = numberOf(db, 'PRAGMA application_id')
  return id === APPLICATION_ID || (id === 0 && numberOf(db, 'SELECT count(*) FROM sqlite_schema') === 0)
}

/** Makes or upgrades the tables. Runs inside a write transaction, so that of two processes that start together one does it. */
export function migrate(db: DatabaseSync): void {
  const version = numberOf(db, 'PRAGMA user_version')
  if (version > MIGRATIONS.length) {
    throw new ConfigError([
      `store: the session database has schema version ${version}, this release knows ${MIGRATIONS.length}. Start the newer release, or name another file.`,
    ])
  }
  if (version === MIGRATIONS.length) return
  for (const sql of MIGRATIONS.slice(version)) db.exec(sql)
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`)
}

function numberOf(db: DatabaseSync, sql: string): number {
  const [value] = Object.values(db.prepare(sql).get() ?? {})
  return Number(value)
}
