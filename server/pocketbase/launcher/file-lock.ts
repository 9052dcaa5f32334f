// A lock between processes. SQLite holds it: the operating system releases it when its process ends, kill -9
// included, so a stale lock cannot exist and two processes cannot both get it.

import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'

export interface FileLock {
  /** May be called more than once. */
  release(): void
}

const SQLITE_BUSY = 5
const POLL_MS = 200

/** The lock at `path`, or null while somebody else holds it. @throws Error where the file cannot be written */
export function tryLock(path: string): FileLock | null {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    // Nothing is ever written, so no file is needed to roll back from.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null
    throw error
  }
  return {
    release: () => {
      if (database.isOpen) database.close()
    },
  }
}

/** Runs `work` while no other process runs something under the same lock; waits for it as long as it takes. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let lock = tryLock(path)
  while (lock === null) {
    await delay(POLL_MS)
    lock = tryLock(path)
  }
  try {
    return await work()
  } finally {
    lock.release()
  }
}
