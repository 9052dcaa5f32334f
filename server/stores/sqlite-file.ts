// Opens the SQLite file: private, ours, in WAL mode, with the tables of this release.

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConfigError } from '../errors.ts'
import { isOurs, migrate } from './sqlite-schema.ts'

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26

/** Whether another process's lock was in the way and nothing was done. */
export function isLocked(error: unknown): boolean {
  return resultCode(error) === SQLITE_BUSY
}

/**
 * Opens or makes the file, mode 0600 in a folder of 0700.
 * @throws ConfigError where it is not a session database or cannot be one; an error that `isLocked` where another process is in the way.
 */
export function openSqliteFile(path: string): DatabaseSync {
  makeFile(path)
  const db = explained(path, () => new DatabaseSync(path, { timeout: 0 }))
  try {
    explained(path, () => prepare(db, path))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function prepare(db: DatabaseSync, path: string): void {
  if (!isOurs(db)) throw new ConfigError([`store: ${path} is the database of something else. Name another file.`])
  closeToOthers(path)
  const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode']
  if (mode !== 'wal') throw new ConfigError([`store: the file system of ${path} does not support SQLite's WAL mode.`])
  db.exec(`
    PRAGMA secure_delete = ON;
    PRAGMA cache_size = -16000;
    PRAGMA journal_size_limit = 16000000;
    PRAGMA synchronous = FULL;
    BEGIN IMMEDIATE;
  `)
  migrate(db)
  db.exec('COMMIT')
}

/** SQLite would make it with the umask's mode, readable for others. */
function makeFile(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'a', 0o600))
  } catch (error) {
    throw new ConfigError([`store: ${path} cannot be opened for writing (${codeOf(error)}).`])
  }
}

function closeToOthers(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) {
    if (existsSync(file) && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600)
  }
}

/** Says what SQLite's codes mean for the file that was named. */
function explained<T>(path: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    const code = resultCode(error)
    if (code === SQLITE_NOTADB) throw new ConfigError([`store: ${path} is not a SQLite database. Name another file.`])
    if (code === SQLITE_CORRUPT) {
      throw new ConfigError([`store: ${path} is damaged. Move it away to start empty; everybody signs in again.`])
    }
    if (code === SQLITE_CANTOPEN) throw new ConfigError([`store: ${path} cannot be opened for writing.`])
    throw error
  }
}

function resultCode(error: unknown): number | undefined {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code & 0xff : undefined // the rest of an extended code is the detail
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
