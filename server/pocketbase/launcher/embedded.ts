// The PocketBase that the server starts by itself: one per data folder, started again when it dies, ended with us.

import { join, resolve } from 'node:path'
import type { Logger } from '../../logger.ts'
import { ASSETS_DIR } from './assets.ts'
import { lockData } from './data-lock.ts'
import { childEnvironment } from './environment.ts'
import type { PocketBaseSettings } from './environment.ts'
import type { FileLock } from './file-lock.ts'
import { findBinary } from './find-binary.ts'
import type { BinarySource } from './find-binary.ts'
import { findFreePort } from './free-port.ts'
import { Keeper } from './keeper.ts'
import { endOrphan } from './orphan.ts'
import { pocketbaseDir, serve } from './serve.ts'
import type { ServedPocketBase, ServeOptions } from './serve.ts'
import { readStatus } from './status-file.ts'
import { ensureSuperuser, superuserPath } from './superuser-file.ts'
import type { Superuser } from './superuser-file.ts'

type Settings = Pick<PocketBaseSettings, 'appUrl'> & Partial<PocketBaseSettings>

export interface EmbeddedOptions extends Settings {
  /** Holds PocketBase's data, mails, the superuser's password and the lock. */
  readonly dataDir: string
  readonly logger: Logger
  /** POCKETBASE_BIN. */
  readonly bin?: string | null
  /** POCKETBASE_SOURCE. */
  readonly source?: BinarySource | null
  readonly env?: NodeJS.ProcessEnv
  /** More variables for the child. */
  readonly extraEnv?: Readonly<Record<string, string>>
  /** Ends the start. */
  readonly signal?: AbortSignal
}

export interface EmbeddedPocketBase {
  /** Stays the same when PocketBase is started again. */
  readonly url: string
  readonly superuser: Superuser
  /** Where the superuser's password can be read. */
  readonly superuserPath: string
  /** Where mails go as files; null with SMTP. */
  readonly mailDir: string | null
  readonly version: string | null
  /** Where the executable comes from, for the start message. */
  readonly source: string
  /** Of the process that runs now; null while it is being started again. */
  pid(): number | null
  /** Ends it and frees the data folder. May be called more than once. */
  stop(): Promise<void>
}

const PORT_TRIES = 5

/**
 * Starts PocketBase with our migrations and hooks on a loopback port, and keeps it running until `stop()`.
 * When this process ends in whatever way, PocketBase ends too.
 * @throws ConfigError where another server uses the data folder, or no executable can be had
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedPocketBase> {
  const dataDir = resolve(options.dataDir)
  const lock = lockData(dataDir)
  try {
    return await startLocked(options, dataDir, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function startLocked(options: EmbeddedOptions, dataDir: string, lock: FileLock): Promise<EmbeddedPocketBase> {
  const { env = process.env, logger, bin = null, source = null } = options
  const last = readStatus(dataDir)
  await endOrphan(last?.pocketbasePid ?? null, pocketbaseDir(dataDir), logger)
  const binary = await findBinary({ env, logger, bin, source })
  const settings = completeSettings(options, dataDir)
  const childEnv = { ...childEnvironment(env, settings), ...options.extraEnv }
  const run = { binary: binary.path, dir: pocketbaseDir(dataDir), assetsDir: ASSETS_DIR, env: childEnv, logger }
  const first = await startOnFreePort(run, portOf(last?.url), options.signal)
  const keeper = new Keeper(first, run, dataDir)
  return {
    url: first.url,
    superuser: settings.superuser,
    superuserPath: superuserPath(dataDir),
    mailDir: settings.smtpUrl === null ? settings.mailDir : null,
    version: binary.version,
    source: binary.source,
    pid: () => keeper.pid,
    stop: async () => {
      await keeper.stop()
      lock.release()
    },
  }
}

function completeSettings(options: EmbeddedOptions, dataDir: string): PocketBaseSettings {
  return {
    appUrl: options.appUrl,
    appName: options.appName ?? 'pocketbase-session',
    smtpUrl: options.smtpUrl ?? null,
    mailDir: resolve(options.mailDir ?? join(dataDir, 'mail')),
    mailFrom: options.mailFrom ?? null,
    tokenLifeMs: options.tokenLifeMs ?? null,
    superuser: options.superuser ?? ensureSuperuser(dataDir),
  }
}

/** The port of last time where it is free, so that a bookmark of the dashboard stays good. */
async function startOnFreePort(
  run: Omit<ServeOptions, 'port'>,
  preferred: number | undefined,
  signal: AbortSignal | undefined,
): Promise<ServedPocketBase> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort(attempt === 1 ? preferred : undefined)
    try {
      return await serve({ ...run, port, ...(signal === undefined ? {} : { signal }) })
    } catch (error) {
      // Somebody took the port between our look and PocketBase's.
      const taken = error instanceof Error && /address already in use|bind:/i.test(error.message)
      if (!taken || attempt >= PORT_TRIES) throw error
    }
  }
}

function portOf(url: string | undefined): number | undefined {
  return url === undefined ? undefined : Number(new URL(url).port)
}
