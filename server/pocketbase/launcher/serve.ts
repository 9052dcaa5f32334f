// One run of PocketBase: started, awaited until it answers, and checked to be the one we mean.

import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { assetFlags, hasHooks } from './assets.ts'
import { LastWords } from './last-words.ts'
import { safeLine } from './safe-line.ts'
import { startSupervised } from './supervised-process.ts'
import type { SupervisedProcess } from './supervised-process.ts'

export interface ServeOptions {
  readonly binary: string
  readonly port: number
  /** PocketBase's own data folder. */
  readonly dir: string
  readonly assetsDir: string
  readonly env: Readonly<Record<string, string>>
  readonly logger: Logger
  /** Gives up waiting and ends the process. */
  readonly signal?: AbortSignal
}

export interface ServedPocketBase extends SupervisedProcess {
  readonly url: string
}

/** Applying migrations to a large database takes its time. */
const START_TIMEOUT_MS = 60_000
const CHECK_TIMEOUT_MS = 5000

/** PocketBase prints this when it has got the port. Whoever else answers on that port is not ours. */
const LISTENING = /Server started at/

/** @throws ConfigError with PocketBase's last words where it does not come up */
export async function serve(options: ServeOptions): Promise<ServedPocketBase> {
  const url = `http://127.0.0.1:${options.port}`
  const { process, listening, lastWords } = await spawnServe(options)
  try {
    await firstOf(listening, process.ended, options.signal)
    await checkIsOurs(url, options.assetsDir)
    return { ...process, url }
  } catch (error) {
    await process.stop()
    const reason = error instanceof Error ? error.message : String(error)
    throw new ConfigError([[`PocketBase did not start: ${reason}`, ...lastWords.lines].join('\n      ')], {
      cause: error,
    })
  }
}

async function spawnServe(options: ServeOptions) {
  const lastWords = new LastWords()
  const listening = Promise.withResolvers<void>()
  const process = await startSupervised({
    binary: options.binary,
    args: ['serve', `--http=127.0.0.1:${options.port}`, ...flags(options)],
    env: options.env,
    onLine: (raw, stream) => {
      if (LISTENING.test(raw)) listening.resolve()
      const line = safeLine(raw)
      lastWords.add(line)
      options.logger[stream === 'stderr' ? 'warn' : 'debug']({ source: 'pocketbase' }, line)
    },
  })
  return { process, listening: listening.promise, lastWords }
}

function flags({ dir, assetsDir }: ServeOptions): readonly string[] {
  return [
    `--dir=${dir}`,
    ...assetFlags(assetsDir),
    // On by itself for an executable below the cache or temporary folder; it prints every statement, secrets included.
    '--dev=false',
    // With a watcher a hook file with a mistake is skipped; without, PocketBase refuses to start.
    '--hooksWatch=false',
    '--automigrate=false',
  ]
}

async function firstOf(listening: Promise<void>, ended: Promise<string>, signal?: AbortSignal): Promise<void> {
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS)
  const stopped = AbortSignal.any(signal === undefined ? [timeout] : [timeout, signal])
  const aborted = Promise.withResolvers<never>()
  const onAbort = (): void => {
    aborted.reject(new Error(signal?.aborted === true ? 'stopped' : `not ready after ${START_TIMEOUT_MS / 1000} s`))
  }
  if (stopped.aborted) onAbort()
  else stopped.addEventListener('abort', onAbort, { once: true })
  const died = ended.then((how) => {
    throw new Error(how)
  })
  try {
    await Promise.race([listening, died, aborted.promise])
  } finally {
    stopped.removeEventListener('abort', onAbort)
  }
}

async function checkIsOurs(url: string, assetsDir: string): Promise<void> {
  const health = await fetch(`${url}/api/health`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) })
  if (!health.ok) throw new Error(`its health check answered ${health.status}`)
  if (!hasHooks(assetsDir)) return
  const report = await fetch(`${url}/api/session/report`, { signal: AbortSignal.timeout(CHECK_TIMEOUT_MS) })
  if (!report.ok) {
    throw new Error('it did not load our hooks; is it built without the JavaScript plugin? Unset POCKETBASE_BIN')
  }
}

/** Where PocketBase keeps its data below ours. */
export function pocketbaseDir(dataDir: string): string {
  return join(dataDir, 'pb')
}
