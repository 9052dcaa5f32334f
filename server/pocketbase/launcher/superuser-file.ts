// The superuser of the embedded PocketBase: made once, kept in the data folder (0600).

import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivateFile } from './private-file.ts'

export interface Superuser {
  readonly email: string
  readonly password: string
}

const EMAIL = 'admin@pocketbase-session.local'

/** Where the password can be read. */
export function superuserPath(dataDir: string): string {
  return join(dataDir, 'superuser.json')
}

/** The superuser of this data folder, or null before the first start. @throws Error where the file is damaged */
export function readSuperuser(dataDir: string): Superuser | null {
  let text: string
  try {
    text = readFileSync(superuserPath(dataDir), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
  return parse(text, superuserPath(dataDir))
}

/** The superuser of this data folder, made with a random password at the first start. */
export function ensureSuperuser(dataDir: string): Superuser {
  const known = readSuperuser(dataDir)
  if (known !== null) return known
  const superuser = { email: EMAIL, password: randomBytes(24).toString('base64url') }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  writePrivateFile(superuserPath(dataDir), `${JSON.stringify(superuser, null, 2)}\n`)
  return superuser
}

function parse(text: string, path: string): Superuser {
  const { email, password } = parseObject(text)
  if (typeof email === 'string' && typeof password === 'string') return { email, password }
  throw new Error(`${path} is damaged; delete it, and the next start makes a new password`)
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    // The members are checked by the caller.
    return Object(JSON.parse(text)) as Readonly<Record<string, unknown>>
  } catch {
    return {} // not JSON: reported as damaged, without its text, which is secret
  }
}
