// Where a Redis server is on this machine.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** One program: it is the server, the sentinel or this check by the name under which it is started. */
const NAMES = ['redis-server', 'valkey-server', 'redis-check-rdb']

/** `REDIS_BIN` where it is set, else the first Redis server on the PATH or in /usr/bin. */
export function findRedis(): string | undefined {
  const named = process.env['REDIS_BIN']
  if (named !== undefined && named !== '') return named
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin']
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false // not there, or not for us
  }
}
