// Which PocketBase executables fit.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** The version that we build and download. Tested with 0.40.4 and 0.40.6. */
export const POCKETBASE_VERSION = '0.40.4'

/** In words, for messages. */
export const FITTING_VERSIONS = '0.39.0 or later, before 0.41'

const TIMEOUT_MS = 10_000

/**
 * What `path --version` says; null for a build without a number.
 * @throws Error where it cannot be run
 */
export async function binaryVersion(path: string): Promise<string | null> {
  const { stdout } = await promisify(execFile)(path, ['--version'], { timeout: TIMEOUT_MS })
  if (!/version/i.test(stdout)) throw new Error(`${path} --version does not look like PocketBase`)
  return /version v?(\d+\.\d+\.\d+[\w.-]*)/i.exec(stdout)?.[1] ?? null
}

/** 0.39 and 0.40: before that bugs matter, after that nothing was tried. */
export function isFittingVersion(version: string): boolean {
  return /^0\.(39|40)\.\d+/.test(version)
}
