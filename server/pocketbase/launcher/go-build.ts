// Builds PocketBase from `main.go`. The module's checksums stand in go.sum, so it is the same wherever it comes from.

import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Logger } from '../../logger.ts'
import { POCKETBASE_VERSION } from './binary-version.ts'
import { installExecutable } from './executable-file.ts'
import { LastWords } from './last-words.ts'

export interface GoBuildOptions {
  readonly target: string
  readonly logger: Logger
  readonly assetsDir: string
  readonly env: NodeJS.ProcessEnv
}

/** 0.40 needs this Go or a later one; the go command of any version fetches it. */
const TOOLCHAIN = 'go1.27.3'

const PROGRESS_EVERY_MS = 15_000

/** Changes with everything that the build is made from. */
export function sourceHash(assetsDir: string): string {
  const hash = createHash('sha256')
  for (const name of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(assetsDir, name)))
  return hash.digest('hex').slice(0, 12)
}

/** Takes about three minutes the first time. @throws Error that says why it cannot be built */
export async function buildWithGo(options: GoBuildOptions): Promise<void> {
  const { target, logger, env } = options
  await findGo(env)
  logger.info({ toolchain: TOOLCHAIN }, 'building PocketBase with Go; the first time this takes about three minutes')
  const startedAt = performance.now()
  const progress = setInterval(() => {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    logger.info({ seconds }, `building PocketBase: ${seconds} s so far`)
  }, PROGRESS_EVERY_MS)
  try {
    await installExecutable(target, (temporary) => runBuild(options, temporary))
  } finally {
    clearInterval(progress)
  }
}

async function findGo(env: NodeJS.ProcessEnv): Promise<void> {
  try {
    await promisify(execFile)('go', ['env', 'GOVERSION'], { env: { ...env, GOTOOLCHAIN: 'local' } })
  } catch (error) {
    throw new Error('the go command is not on PATH', { cause: error })
  }
}

async function runBuild({ assetsDir, env }: GoBuildOptions, output: string): Promise<void> {
  const ldflags = `-s -w -X github.com/pocketbase/pocketbase.Version=${POCKETBASE_VERSION}`
  const go = spawn('go', ['build', '-ldflags', ldflags, '-o', output, '.'], {
    cwd: assetsDir,
    env: { ...env, GOTOOLCHAIN: TOOLCHAIN, GOFLAGS: '-buildvcs=false -mod=readonly', CGO_ENABLED: '0' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const lastWords = new LastWords()
  createInterface({ input: go.stderr }).on('line', (line) => lastWords.add(line))
  const [code] = (await once(go, 'close')) as [number | null] // the event's arguments
  if (code !== 0) throw new Error(['go build failed:', ...lastWords.lines].join('\n    '))
}
