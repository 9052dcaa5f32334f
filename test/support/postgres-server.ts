// A real PostgreSQL on a free loopback port, in a folder of its own: started, paused, killed and restarted by tests.

import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { findPostgres } from './find-postgres.ts'

export interface PostgresServerOptions {
  /** Server settings beside the defaults: `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Certificate and key (PEM): the server then speaks TLS, and refuses whoever does not. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export interface PostgresServer {
  readonly host: string
  readonly port: number
  /** Superuser, with password, on the database `postgres`. */
  readonly url: string
  /** All its processes stand still: connections are accepted by the kernel, nothing answers. */
  pause(): void
  resume(): void
  /** SIGKILL to all its processes, as in a crash of the machine. */
  kill(): Promise<void>
  /** Starts it again on the same data and port, after `kill` or instead of a running one. */
  restart(): Promise<void>
  /** Ends it and deletes its folder. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const PASSWORD = 'pg-password-of-tests'
const START_ATTEMPTS = 20
const READY = /database system is ready to accept connections/
/** Whom the server runs as where the tests run as root, which it refuses. */
const USERS = ['postgres', 'nobody']

type Owner = { readonly uid: number; readonly gid: number } | undefined

/** Whoever starts it stops it. */
export async function startPostgresServer(options: PostgresServerOptions = {}): Promise<PostgresServer> {
  const bin = findPostgres()
  if (bin === undefined) throw new Error('There is no PostgreSQL on this machine: apt-get install postgresql')
  const owner = unprivilegedOwner()
  const folder = mkdtempSync(join(tmpdir(), 'pbs-postgres-'))
  if (owner !== undefined) chownSync(folder, owner.uid, owner.gid)
  try {
    await initialize(bin, { folder, owner })
    return await launch(bin, { folder, owner, settings: settingsOf(folder, { owner, ...options }) })
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

interface Place {
  readonly folder: string
  readonly owner: Owner
}

async function initialize(bin: string, { folder, owner }: Place): Promise<void> {
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, PASSWORD)
  const options = ['--username=pbs', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8', '--no-sync']
  const args = [...options, '--locale=C.UTF-8', '--pgdata', join(folder, 'data')]
  await promisify(execFile)(join(bin, 'initdb'), args, { cwd: folder, ...owner })
}

async function launch(
  bin: string,
  { folder, owner, settings }: Place & { readonly settings: readonly string[] },
): Promise<PostgresServer> {
  const spawnOn = (port: number): ChildProcess =>
    spawn(join(bin, 'postgres'), ['-D', join(folder, 'data'), '-p', String(port), ...settings], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      ...owner,
    })
  const start = async (fixedPort?: number): Promise<{ readonly child: ChildProcess; readonly port: number }> => {
    for (let attempt = 1; ; attempt += 1) {
      const port = fixedPort ?? (await freePort())
      const child = spawnOn(port)
      const failure = await readyOrFailure(child)
      if (failure === undefined) return { child, port }
      // Another process took the port, or what was killed has not let go of its shared memory yet.
      if (attempt === START_ATTEMPTS) throw new Error(`PostgreSQL does not start:\n${failure}`)
      await delay(100)
    }
  }
  let { child, port } = await start()
  const kill = async (): Promise<void> => {
    if (!isRunning(child)) return
    const ended = once(child, 'exit')
    signalAll(child, 'SIGKILL')
    await ended
  }
  return {
    host: HOST,
    port,
    url: `postgres://pbs:${PASSWORD}@${HOST}:${port}/postgres`,
    pause: () => signalAll(child, 'SIGSTOP'),
    resume: () => signalAll(child, 'SIGCONT'),
    kill,
    restart: async () => {
      await endFast(child)
      ;({ child, port } = await start(port))
    },
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What went wrong, as the server says it; `undefined` once it is ready. */
async function readyOrFailure(child: ChildProcess): Promise<string | undefined> {
  let output = ''
  const exited = once(child, 'exit')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000) // clients that come too early fill the log
      if (READY.test(output)) resolve(undefined)
    })
    exited.then(() => resolve(output), reject)
  })
}

/** As an administrator restarts it: clients are disconnected. */
async function endFast(child: ChildProcess): Promise<void> {
  if (!isRunning(child)) return
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  await ended
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** The first process and those that it has started; stopped first, so that no more are started meanwhile. */
function signalAll(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child
  if (pid === undefined || !isRunning(child)) return
  if (signal !== 'SIGCONT') process.kill(pid, 'SIGSTOP')
  for (const other of childrenOf(pid)) {
    try {
      process.kill(other, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended by itself meanwhile
    }
  }
  process.kill(pid, signal)
}

function childrenOf(pid: number): readonly number[] {
  const text = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [Number(line)]))
}

function settingsOf(
  folder: string,
  { owner, settings = {}, tls }: PostgresServerOptions & { readonly owner: Owner },
): readonly string[] {
  const secured: Record<string, string> = {}
  if (tls !== undefined) {
    for (const [name, text] of Object.entries(tls)) {
      const file = join(folder, `server.${name}`)
      writeFileSync(file, text, { mode: 0o600 })
      if (owner !== undefined) chownSync(file, owner.uid, owner.gid)
      secured[`ssl_${name}_file`] = file
    }
    Object.assign(secured, { ssl: 'on' })
    const hba = join(folder, 'data', 'pg_hba.conf')
    writeFileSync(hba, 'hostssl all all all scram-sha-256\n')
  }
  const all = { listen_addresses: HOST, unix_socket_directories: '', ...secured, ...settings }
  return Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** PostgreSQL refuses to run as root. */
function unprivilegedOwner(): Owner {
  if (process.getuid?.() !== 0) return undefined
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , uid, gid]) => [name, { uid: Number(uid), gid: Number(gid) }]),
  )
  const name = USERS.find((each) => users.has(each))
  if (name === undefined) throw new Error(`PostgreSQL needs an unprivileged user: none of ${USERS.join(', ')} is there`)
  return users.get(name)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return address.port
}
