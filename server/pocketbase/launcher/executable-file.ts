// Puts an executable in its place in the cache: whole or not at all, whoever else does the same at the moment.

import { randomBytes } from 'node:crypto'
import { accessSync, constants, mkdirSync } from 'node:fs'
import { chmod, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Lets `write` make the file under another name, and moves it to `target`. */
export async function installExecutable(target: string, write: (temporary: string) => Promise<void>): Promise<void> {
  // Nobody else may put an executable here for us to run.
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await write(temporary)
    await chmod(temporary, 0o755)
    await rename(temporary, target)
  } finally {
    await rm(temporary, { force: true })
  }
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false // not there, or not ours to run
  }
}
