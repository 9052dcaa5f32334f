// A real PocketBase for a test, started by our own launcher code on a free port and a data folder of its own.

import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type PocketBase from 'pocketbase'
import type { Logger } from '../../server/logger.ts'
import { ASSETS_DIR } from '../../server/pocketbase/launcher/assets.ts'
import { childEnvironment } from '../../server/pocketbase/launcher/environment.ts'
import { findBinary } from '../../server/pocketbase/launcher/find-binary.ts'
import { findFreePort } from '../../server/pocketbase/launcher/free-port.ts'
import { serve } from '../../server/pocketbase/launcher/serve.ts'
import type { ServedPocketBase, ServeOptions } from '../../server/pocketbase/launcher/serve.ts'
import type { Superuser } from '../../server/pocketbase/launcher/superuser-file.ts'
import { setRole, signInSuperuser } from '../../server/pocketbase/superuser.ts'

export interface StartPocketBaseOptions {
  /** Without it mails are files in `mailDir`. */
  readonly smtpUrl?: string
  /** The origin that mails link to. */
  readonly appUrl?: string
  /** Default 4: a hash takes a millisecond. */
  readonly bcryptCost?: number
  /** `false`: a PocketBase as it comes, without our migrations and hooks. */
  readonly hooks?: boolean
  readonly tokenSeconds?: number
  readonly logger?: Logger
}

/** What only a superuser may do; always a sign-in of its own. */
export interface SuperuserTools {
  /** A signed-in SDK client, for everything else. */
  client(): Promise<PocketBase>
  setRole(email: string, role: string): Promise<void>
  deleteUser(email: string): Promise<void>
  /** Ends all tokens of the user. */
  rotateTokenKey(email: string): Promise<void>
  /** Ends all tokens of everybody, whatever the rule says. */
  setAuthRule(rule: string | null): Promise<void>
  updateUser(email: string, fields: Readonly<Record<string, unknown>>): Promise<void>
}

export interface TestPocketBase {
  /** Stays the same over `kill()` and `start()`. */
  readonly url: string
  readonly superuser: Superuser
  readonly mailDir: string
  readonly dataDir: string
  readonly admin: SuperuserTools
  pid(): number
  /** Ends it as SIGTERM does and forgets the data. */
  stop(): Promise<void>
  /** kill -9. The data stay; `start()` brings it back. */
  kill(): Promise<void>
  /** After `kill()`: on the same data and port. */
  start(): Promise<void>
  /** It takes connections but answers nothing. */
  pause(): Promise<void>
  resume(): void
}

const SUPERUSER: Superuser = { email: 'root@example.com', password: 'rootpass1234' }
const PORT_TRIES = 5

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {} }

export async function startPocketBase(options: StartPocketBaseOptions = {}): Promise<TestPocketBase> {
  const dataDir = mkdtempSync(join(tmpdir(), 'pocketbase-session-test-'))
  const run = await prepare(options, dataDir)
  let running = await serveSomewhere(run)
  const { url } = running
  return {
    url,
    superuser: SUPERUSER,
    mailDir: join(dataDir, 'mail'),
    dataDir,
    admin: superuserTools(url),
    pid: () => running.pid,
    async stop() {
      resume(running)
      await running.stop()
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 })
    },
    async kill() {
      process.kill(running.pid, 'SIGKILL')
      await running.ended
    },
    async start() {
      running = await serve({ ...run, port: Number(new URL(url).port) })
    },
    pause: () => pause(running),
    resume: () => resume(running),
  }
}

async function prepare(options: StartPocketBaseOptions, dataDir: string): Promise<Omit<ServeOptions, 'port'>> {
  const logger = options.logger ?? SILENT
  const bin = process.env['POCKETBASE_BIN'] ?? null
  const binary = await findBinary({ env: process.env, logger, bin })
  const withHooks = options.hooks !== false
  const assetsDir = withHooks ? ASSETS_DIR : join(dataDir, 'no-assets')
  const env = environment(options, dataDir)
  const dir = join(dataDir, 'pb')
  mkdirSync(dir, { recursive: true })
  if (!withHooks) {
    const flags = [`--dir=${dir}`, `--migrationsDir=${assetsDir}`, `--hooksDir=${assetsDir}`, '--dev=false']
    await promisify(execFile)(binary.path, ['superuser', 'upsert', SUPERUSER.email, SUPERUSER.password, ...flags], {
      env,
    })
  }
  return { binary: binary.path, dir, assetsDir, env, logger }
}

function environment(options: StartPocketBaseOptions, dataDir: string): Record<string, string> {
  const settings = childEnvironment(process.env, {
    appUrl: options.appUrl ?? 'http://localhost:3000',
    appName: 'Test app',
    smtpUrl: options.smtpUrl ?? null,
    mailDir: join(dataDir, 'mail'),
    mailFrom: 'Test app <app@example.com>',
    tokenLifeMs: options.tokenSeconds === undefined ? null : options.tokenSeconds * 1000,
    superuser: SUPERUSER,
  })
  // Everything that a test run starts carries its mark.
  const mark = process.env['PBS_TEST_RUN']
  return {
    ...settings,
    ...(mark === undefined ? {} : { PBS_TEST_RUN: mark }),
    PB_BCRYPT_COST: String(options.bcryptCost ?? 4),
  }
}

/** Tests run side by side: another one may take the port first. */
async function serveSomewhere(run: Omit<ServeOptions, 'port'>): Promise<ServedPocketBase> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await serve({ ...run, port: await findFreePort() })
    } catch (error) {
      if (attempt >= PORT_TRIES || !(error instanceof Error) || !error.message.includes('address already in use')) {
        throw error
      }
    }
  }
}

async function pause({ pid }: ServedPocketBase): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  // The threads stop one after the other; a request that comes at once might still be answered.
  while (process.platform === 'linux' && !/\) T /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))) await delay(5)
}

function resume({ pid }: ServedPocketBase): void {
  try {
    process.kill(pid, 'SIGCONT')
  } catch {
    // It was killed before.
  }
}

function superuserTools(url: string): SuperuserTools {
  const client = (): Promise<PocketBase> => signInSuperuser({ url, superuser: SUPERUSER })
  const withUser = async (email: string, work: (sdk: PocketBase, id: string) => Promise<unknown>): Promise<void> => {
    const sdk = await client()
    const user = await sdk.collection('users').getFirstListItem(sdk.filter('email = {:email}', { email }))
    await work(sdk, user.id)
  }
  const updateUser: SuperuserTools['updateUser'] = (email, fields) => {
    return withUser(email, (sdk, id) => sdk.collection('users').update(id, { ...fields }))
  }
  return {
    client,
    updateUser,
    async setRole(email, role) {
      const result = await setRole(await client(), { collection: 'users', email, role })
      if (result.kind !== 'ok') throw new Error(`${email} cannot be given the role ${role}: ${result.kind}`)
    },
    deleteUser: (email) => withUser(email, (sdk, id) => sdk.collection('users').delete(id)),
    rotateTokenKey: (email) => updateUser(email, { 'tokenKey:autogenerate': '' }),
    async setAuthRule(rule) {
      const sdk = await client()
      await sdk.collections.update('users', { authRule: rule })
    },
  }
}
