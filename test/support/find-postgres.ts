// Where the programs of PostgreSQL are on this machine.

import { existsSync, globSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where Debian, Red Hat and Homebrew put them: not on the PATH. */
const FOLDERS = ['/usr/lib/postgresql/*/bin', '/usr/pgsql-*/bin', '/opt/homebrew/opt/postgresql*/bin']

/** The folder that holds `initdb` and `postgres`: `POSTGRES_BIN` where it is set, else the PATH, else the newest installed. */
export function findPostgres(): string | undefined {
  const named = process.env['POSTGRES_BIN']
  if (named !== undefined && named !== '') return named
  const installed = FOLDERS.flatMap((pattern) => globSync(pattern)).toSorted(byVersion)
  return [...(process.env['PATH'] ?? '').split(delimiter), ...installed].find(isComplete)
}

function isComplete(folder: string): boolean {
  return folder !== '' && ['initdb', 'postgres'].every((program) => existsSync(join(folder, program)))
}

/** Newest first. */
function byVersion(a: string, b: string): number {
  return Number(/\d+/.exec(b)?.[0] ?? 0) - Number(/\d+/.exec(a)?.[0] ?? 0)
}
