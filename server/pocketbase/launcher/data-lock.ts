// One PocketBase per data folder.

import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { tryLock } from './file-lock.ts'
import type { FileLock } from './file-lock.ts'
import { readStatus } from './status-file.ts'

/** @throws ConfigError that names the process which holds the lock */
export function lockData(dataDir: string): FileLock {
  const lock = openLock(dataDir)
  if (lock === null) throw new ConfigError([refusal(dataDir)])
  return lock
}

function openLock(dataDir: string): FileLock | null {
  try {
    return tryLock(join(dataDir, 'pocketbase.lock'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError([`DATA_DIR: ${dataDir} cannot be written to (${why})`])
  }
}

function refusal(dataDir: string): string {
  const status = readStatus(dataDir)
  const who = typeof status?.pid === 'number' ? `Another server (process ${status.pid})` : 'Another server'
  const hint = status === null ? '' : `, or set POCKETBASE_URL=${status.url} to share its PocketBase`
  return `DATA_DIR: ${who} is using ${dataDir}. Stop it${hint}, or choose another DATA_DIR.`
}
