// The secret of a development server: made once, so that a restart signs nobody out.

import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The secret kept in `<dataDir>/secret`; makes it (only the owner may read it) where it is missing. */
export function developmentSecret(dataDir: string): string {
  const file = join(dataDir, 'secret')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (!existsSync(file)) makeSecret(file)
  return readFileSync(file, 'utf8').trim()
}

function makeSecret(file: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}`
  writeFileSync(draft, `${newSecret()}\n`, { flag: 'wx', mode: 0o600 })
  try {
    // A link never replaces: of two processes that start at once one makes the secret, and both read it whole.
    linkSync(draft, file)
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EEXIST') throw error
  } finally {
    unlinkSync(draft)
  }
}

/** 32 random bytes as text. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
