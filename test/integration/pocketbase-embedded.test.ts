// The PocketBase that the server starts: one per data folder, kept running, never left behind.

import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ConfigError } from '../../server/errors.ts'
import { startEmbedded } from '../../server/pocketbase/launcher/embedded.ts'
import type { EmbeddedPocketBase } from '../../server/pocketbase/launcher/embedded.ts'
import { findBinary } from '../../server/pocketbase/launcher/find-binary.ts'
import { findFreePort } from '../../server/pocketbase/launcher/free-port.ts'
import { serve } from '../../server/pocketbase/launcher/serve.ts'
import { readStatus } from '../../server/pocketbase/launcher/status-file.ts'
import { signInSuperuser } from '../../server/pocketbase/superuser.ts'
import { clientOf, newUser, VISITOR } from '../support/pocketbase-client.ts'

const MAIN = fileURLToPath(new URL('../support/embedded-main.ts', import.meta.url))
const bin = process.env['POCKETBASE_BIN'] ?? null
const logger = { debug() {}, info() {}, warn() {}, error() {} }

interface Told {
  readonly url: string
  readonly pocketbasePid: number
  readonly refused?: readonly string[]
}

let dataDir: string
const cleanUps: (() => Promise<unknown>)[] = []

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'pocketbase-embedded-'))
})
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp()
  await rm(dataDir, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 })
})

async function start(): Promise<EmbeddedPocketBase> {
  const extraEnv = process.env['PBS_TEST_RUN'] === undefined ? {} : { PBS_TEST_RUN: process.env['PBS_TEST_RUN'] }
  const embedded = await startEmbedded({ dataDir, appUrl: 'http://localhost:3000', logger, bin, extraEnv })
  cleanUps.push(() => embedded.stop())
  return embedded
}

/** A server in a process of its own. */
async function startServer(): Promise<{ readonly child: ChildProcess; readonly told: Told }> {
  const child = spawn(process.execPath, [MAIN, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  cleanUps.push(async () => {
    child.kill('SIGTERM')
    await ended
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  // Our own program at the other end.
  return { child, told: JSON.parse(line.toString()) as Told }
}

async function killNow(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function ps(pid: number, field: 'ppid' | 'pgid' | 'state'): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', `${field}=`, '-p', String(pid)])
  return stdout.trim()
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    // What nobody has collected yet is dead too.
    return !(await ps(pid, 'state')).startsWith('Z')
  } catch {
    return false
  }
}

/** A connection that tells when the program at `url` is gone. */
async function watch(url: string): Promise<{ readonly gone: Promise<unknown> }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.resume()
  return { gone: once(socket, 'close') }
}

/** Waits for another process to do something that nobody tells us of. The test's timeout ends it. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10)
}

const OPTIONS = { timeout: 30_000 }

test('starts with our hooks, remembers its superuser, and ends with stop()', OPTIONS, async () => {
  const embedded = await start()
  const report = await clientOf(embedded.url).report()
  assert.equal(report.hooks, true)
  assert.equal(report.version, embedded.version)
  assert.equal(statSync(embedded.superuserPath).mode & 0o777, 0o600)
  assert.ok((await signInSuperuser(embedded)).authStore.isSuperuser)
  const pid = embedded.pid()
  assert.ok(pid !== null && (await isAlive(pid)))
  // Ctrl-C in the terminal reaches our process group only: PocketBase ends when our requests are finished.
  assert.notEqual(await ps(pid, 'pgid'), await ps(process.pid, 'pgid'))
  await embedded.stop()
  assert.equal(await isAlive(pid), false)
  const again = await start()
  assert.deepEqual(again.superuser, embedded.superuser)
  assert.equal(again.url, embedded.url)
})

test('is started again on the same address when it dies, with everything in it', OPTIONS, async () => {
  const embedded = await start()
  const pocketbase = clientOf(embedded.url)
  const { token } = await newUser(pocketbase)
  for (let round = 0; round < 2; round += 1) {
    const pid = embedded.pid()
    assert.ok(pid !== null)
    process.kill(pid, 'SIGKILL')
    await until(() => embedded.pid() !== null && embedded.pid() !== pid)
    assert.equal((await pocketbase.authRefresh(token, VISITOR)).kind, 'ok')
    assert.equal(readStatus(dataDir)?.pocketbasePid, embedded.pid())
  }
})

test('stop() in the middle of a restart leaves nothing behind', OPTIONS, async () => {
  const embedded = await start()
  const pid = embedded.pid()
  assert.ok(pid !== null)
  process.kill(pid, 'SIGKILL')
  await until(() => embedded.pid() === null)
  await embedded.stop()
  assert.equal(embedded.pid(), null)
  await assert.rejects(fetch(`${embedded.url}/api/health`))
})

test('a second server on the same data refuses to start, and names the first', OPTIONS, async () => {
  const { child, told } = await startServer()
  await assert.rejects(start(), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.ok(error.message.includes(`process ${child.pid}`), error.message)
    assert.ok(error.message.includes(`POCKETBASE_URL=${told.url}`), error.message)
    return true
  })
  assert.equal((await clientOf(told.url).report()).hooks, true)
})

test('of servers that start at once, one gets the data', OPTIONS, async () => {
  const servers = await Promise.all([startServer(), startServer(), startServer()])
  assert.equal(servers.filter(({ told }) => told.refused === undefined).length, 1)
})

test('ends when its server is killed with -9, and the next server takes over', OPTIONS, async () => {
  const { child, told } = await startServer()
  const { gone } = await watch(told.url)
  await killNow(child)
  await gone
  await until(async () => !(await isAlive(told.pocketbasePid)))
  const next = await start()
  assert.equal((await clientOf(next.url).report()).hooks, true)
})

test('is replaced when its watchdog is killed with -9', OPTIONS, async () => {
  const embedded = await start()
  const pid = embedded.pid()
  assert.ok(pid !== null)
  process.kill(Number(await ps(pid, 'ppid')), 'SIGKILL')
  await until(() => embedded.pid() !== null && embedded.pid() !== pid)
  assert.equal((await clientOf(embedded.url).report()).hooks, true)
  assert.equal(await isAlive(pid), false)
})

test('is ended by the next server when server and watchdog were both killed with -9', OPTIONS, async () => {
  const { child, told } = await startServer()
  const watchdog = Number(await ps(told.pocketbasePid, 'ppid'))
  process.kill(watchdog, 'SIGSTOP') // so that it cannot do its work in between
  await killNow(child)
  process.kill(watchdog, 'SIGKILL')
  assert.ok(await isAlive(told.pocketbasePid))
  const next = await start()
  assert.equal(await isAlive(told.pocketbasePid), false)
  assert.equal((await clientOf(next.url).report()).hooks, true)
})

test('takes another port when somebody has the one of last time', OPTIONS, async () => {
  const first = await start()
  await first.stop()
  const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
  await once(squatter, 'listening')
  cleanUps.push(async () => squatter.close())
  const second = await start()
  assert.notEqual(second.url, first.url)
})

test('a mistake in a hook stops the start and is told, and nothing keeps running', OPTIONS, async () => {
  const hooks = join(dataDir, 'assets', 'pb_hooks')
  mkdirSync(hooks, { recursive: true })
  writeFileSync(join(hooks, 'bootstrap.pb.js'), 'onBootstrap((e) => {')
  const binary = await findBinary({ env: process.env, logger, bin })
  const run = serve({
    binary: binary.path,
    port: await findFreePort(),
    dir: join(dataDir, 'pb'),
    assetsDir: join(dataDir, 'assets'),
    env: {},
    logger,
  })
  await assert.rejects(run, /^ConfigError: [^]*PocketBase did not start: exit code \d[^]*bootstrap\.pb\.js/)
})

test('a program that is no PocketBase is refused', OPTIONS, async () => {
  const options = { port: 1, dir: dataDir, assetsDir: join(dataDir, 'none'), env: {}, logger }
  await assert.rejects(serve({ ...options, binary: join(dataDir, 'missing') }), /ENOENT/)
  await assert.rejects(serve({ ...options, binary: '/bin/false' }), /exit code 1/)
})
