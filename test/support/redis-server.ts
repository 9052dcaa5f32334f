// A real Redis server on a free loopback port, in a folder of its own: started, paused, killed and restarted by tests.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createClient } from 'redis'
import { findRedis } from './find-redis.ts'

export interface RedisServerOptions {
  /** Lines of its configuration beside the defaults: `{ 'maxmemory-policy': 'allkeys-lru' }`. */
  readonly settings?: Readonly<Record<string, string>>
  /** Certificate and key (PEM): the server then speaks TLS only. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** A sentinel instead of a server. */
  readonly isSentinel?: boolean
}

export interface RedisServer {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly address: string
  readonly url: string
  /** A file in the server's folder. */
  file(name: string): string
  /** Runs one command on a connection of its own. */
  run(...args: readonly string[]): Promise<unknown>
  /** It stands still: connections are accepted by the kernel, nothing answers. */
  pause(): void
  resume(): void
  /** SIGKILL: nothing is flushed. */
  kill(): Promise<void>
  /** Starts it again on the same data and port, after `kill` or instead of a running one. */
  restart(): Promise<void>
  /** Ends it and deletes its folder. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const START_ATTEMPTS = 20
/** Never connected. The driver takes a tenth of a second to build a client, and a moment to build another like it. */
const model = createClient()
const READY = /Ready to accept connections|monitor master/

/** Whoever starts it stops it. It keeps an append-only file unless the settings say otherwise. */
export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const bin = findRedis()
  if (bin === undefined) throw new Error('There is no Redis on this machine: apt-get install redis-tools')
  const folder = mkdtempSync(join(tmpdir(), 'pbs-redis-'))
  try {
    return await launch(bin, folder, options)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** Asks again until it is so. */
export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; performance.now() < end; await delay(50)) {
    if (await isSo()) return
  }
  throw new Error(`It did not happen within a minute: ${what}`)
}

async function launch(bin: string, folder: string, options: RedisServerOptions): Promise<RedisServer> {
  let { child, port } = await start(bin, folder, options)
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  return {
    host: HOST,
    port,
    address: `${HOST}:${port}`,
    url: `redis://${HOST}:${port}`,
    file: (name) => join(folder, name),
    run: (...args) => run(port, args, options),
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    kill,
    restart: async () => {
      await kill()
      ;({ child, port } = await start(bin, folder, options, port))
    },
    stop: async () => {
      await kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function start(
  bin: string,
  folder: string,
  options: RedisServerOptions,
  fixedPort?: number,
): Promise<{ readonly child: ChildProcess; readonly port: number }> {
  const config = join(folder, 'redis.conf')
  for (let attempt = 1; ; attempt += 1) {
    const port = fixedPort ?? (await freePort())
    // A sentinel, and a node of a cluster, keep in their files what they have learned.
    if (fixedPort === undefined) writeFileSync(config, await configText(folder, port, options))
    const args = [config, ...(options.isSentinel ? ['--sentinel'] : [])]
    const child = spawn(bin, args, { argv0: 'redis-server', cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
    const failure = await readyOrFailure(child)
    if (failure === undefined) return { child, port }
    // Another process took the port.
    if (attempt === START_ATTEMPTS) throw new Error(`Redis does not start:\n${failure}`)
  }
}

/** What went wrong, as the server says it; `undefined` once it is ready. */
async function readyOrFailure(child: ChildProcess): Promise<string | undefined> {
  let output = ''
  const exited = once(child, 'exit')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-10_000)
      if (READY.test(output)) resolve(undefined)
    })
    exited.then(() => resolve(output), reject)
  })
}

async function configText(folder: string, port: number, { settings = {}, tls, isSentinel }: RedisServerOptions) {
  const common = { bind: HOST, dir: folder, 'protected-mode': 'no' }
  const data = isSentinel ? {} : { save: '""', appendonly: 'yes', 'repl-diskless-sync-delay': '0' }
  const cluster = settings['cluster-enabled'] === 'yes' ? { 'cluster-port': String(await freePort()) } : {}
  const all = { ...common, ...data, ...cluster, ...portSettings(folder, port, tls), ...settings }
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('')
}

function portSettings(folder: string, port: number, tls: RedisServerOptions['tls']): Record<string, string> {
  if (tls === undefined) return { port: String(port) }
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, tls.cert)
  writeFileSync(files.key, tls.key, { mode: 0o600 })
  return {
    port: '0',
    'tls-port': String(port),
    'tls-cert-file': files.cert,
    'tls-key-file': files.key,
    'tls-ca-cert-file': files.cert,
    'tls-auth-clients': 'no',
  }
}

async function run(port: number, args: readonly string[], { settings, tls }: RedisServerOptions): Promise<unknown> {
  const password = settings?.['requirepass']
  const client = model.duplicate({
    ...(password === undefined ? {} : { password }),
    socket: { host: HOST, port, reconnectStrategy: false, ...(tls ? { tls: true, ca: tls.cert } : {}) },
  })
  client.on('error', () => {}) // the command that fails says so
  await client.connect()
  try {
    return await client.sendCommand(args)
  } finally {
    client.destroy()
  }
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
