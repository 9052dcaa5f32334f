// Files that only their owner may read, written whole or not at all.

import { renameSync, writeFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'

export function writePrivateFile(path: string, content: string): void {
  // A reader, or a crash, never meets half a file.
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`
  writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' })
  renameSync(temporary, path)
}
