// What tests need and npm does not bring: found on this machine, or fetched once.

import { setTimeout as delay } from 'node:timers/promises'
import { findChromium } from '../test/support/find-chromium.ts'
import { findPostgres } from '../test/support/find-postgres.ts'
import { findRedis } from '../test/support/find-redis.ts'
import { installMongoServer } from '../test/support/install-mongo-server.ts'
import { findBinary } from '../server/pocketbase/launcher/find-binary.ts'
import { runCommand } from './command.ts'

export type Need = 'PocketBase' | 'Chromium' | 'PostgreSQL' | 'Redis' | 'SecantusDB'

export interface Fetched {
  /** Environment variables that tell the tests where the things are. */
  readonly env: Readonly<Record<string, string>>
  /** What could not be had, and why. */
  readonly missing: ReadonlyMap<Need, string>
}

type Print = (line: string) => void

const FETCH: Readonly<Record<Need, (print: Print) => Promise<Readonly<Record<string, string>>>>> = {
  PocketBase: fetchPocketBase,
  Chromium: fetchChromium,
  PostgreSQL: fetchPostgres,
  Redis: fetchRedis,
  SecantusDB: fetchSecantusDb,
}

/** A package index that is being read by another process gives up its lock within seconds. */
const APT_ATTEMPTS = 3

export async function fetchNeeds(needs: ReadonlySet<Need>, print: Print): Promise<Fetched> {
  const env: Record<string, string> = {}
  const missing = new Map<Need, string>()
  for (const need of needs) {
    try {
      Object.assign(env, await FETCH[need](print))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      missing.set(need, `${need} could not be had: ${why}`)
      print(`${need}: could not be had: ${why}`)
    }
  }
  return { env, missing }
}

async function fetchPocketBase(print: Print): Promise<Readonly<Record<string, string>>> {
  const log = (_details: object, message = ''): void => print(`PocketBase: ${message}`)
  const logger = { debug: () => {}, info: log, warn: log, error: log }
  const { path, version, source } = await findBinary({
    env: process.env,
    logger,
    bin: process.env['POCKETBASE_BIN'] ?? null,
  })
  print(`PocketBase: ${version ?? 'unknown version'}, ${source}: ${path}`)
  return { POCKETBASE_BIN: path }
}

async function fetchChromium(print: Print): Promise<Readonly<Record<string, string>>> {
  let found = findChromium()
  if (found === undefined) {
    await installDebianPackage('chromium', print)
    found = findChromium()
  }
  if (found === undefined) throw new Error('the package chromium is installed, but no chromium is on the PATH')
  print(`Chromium: ${found}`)
  return { CHROMIUM_BIN: found }
}

async function fetchPostgres(print: Print): Promise<Readonly<Record<string, string>>> {
  let found = findPostgres()
  if (found === undefined) {
    await installDebianPackage('postgresql-common', print)
    // Debian would make and start a server of its own at once; the tests start theirs.
    const setting = 's/^#?create_main_cluster.*/create_main_cluster = false/'
    await runAsRoot(['sed', '-i', '-E', setting, '/etc/postgresql-common/createcluster.conf'])
    await installDebianPackage('postgresql', print)
    found = findPostgres()
  }
  if (found === undefined) throw new Error('the package postgresql is installed, but its programs are not to be found')
  print(`PostgreSQL: ${found}`)
  return { POSTGRES_BIN: found }
}

async function fetchRedis(print: Print): Promise<Readonly<Record<string, string>>> {
  let found = findRedis()
  if (found === undefined) {
    // It has the server too. The package redis-server would start one of its own at once.
    await installDebianPackage('redis-tools', print)
    found = findRedis()
  }
  if (found === undefined) throw new Error('the package redis-tools is installed, but has no server')
  print(`Redis: ${found}`)
  return { REDIS_BIN: found }
}

/** Speaks MongoDB's protocol. No package was found that brings a mongod. */
async function fetchSecantusDb(print: Print): Promise<Readonly<Record<string, string>>> {
  print(`SecantusDB: ${await installMongoServer(print)}`)
  return {}
}

export async function installDebianPackage(name: string, print: Print): Promise<void> {
  print(`Installing the package ${name} (apt-get) …`)
  await runAsRoot(['apt-get', 'update'])
  await runAsRoot(['apt-get', 'install', '-y', '--no-install-recommends', name])
}

async function runAsRoot(words: readonly string[]): Promise<void> {
  const [command = '', ...args] = process.getuid?.() === 0 ? words : ['sudo', '-n', ...words]
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (let attempt = 1; ; attempt += 1) {
    const { code, output } = await runCommand(command, args, { env, timeoutMs: 300_000 })
    if (code === 0) return
    const locked = /Could not get lock|Unable to lock/.test(output)
    if (!locked || attempt === APT_ATTEMPTS) throw new Error(`${[command, ...args].join(' ')}: ${lastLine(output)}`)
    await delay(5000)
  }
}

function lastLine(output: string): string {
  return output.trim().split('\n').at(-1) ?? ''
}
