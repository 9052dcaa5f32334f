// A server that speaks MongoDB's protocol, on a free loopback port, in a folder of its own: started, stalled, killed and
// restarted by tests. Always with every commit synced: without, it loses acknowledged writes when it is killed.

import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../../server/pocketbase/launcher/free-port.ts'
import { installMongoServer } from './install-mongo-server.ts'

export interface MongoServerOptions {
  /** Without a replica set; otherwise it says that it is one of a single member. */
  readonly isStandalone?: boolean
}

export interface MongoServer {
  readonly port: number
  /** Without a database: `mongodb://127.0.0.1:1234`. */
  readonly url: string
  /** It takes connections but answers nothing. Returns when it really stands still. */
  pause(): Promise<void>
  resume(): void
  /** SIGKILL. The data stay. */
  kill(): Promise<void>
  /** After `kill`: on the same data and port. */
  restart(): Promise<void>
  /** Ends it and deletes its folder. */
  stop(): Promise<void>
}

const HOST = '127.0.0.1'
const START_ATTEMPTS = 5
const START_LIMIT_MS = 30_000

/** Whoever starts it stops it. `configureFailPoint` is allowed. */
export async function startMongoServer({ isStandalone = false }: MongoServerOptions = {}): Promise<MongoServer> {
  const python = await installMongoServer()
  const folder = mkdtempSync(join(tmpdir(), 'pbs-mongo-'))
  const options = ['--sync-on-commit', '--enable-test-commands', ...(isStandalone ? ['--standalone'] : [])]
  const launch = (port: number) => launchOn(python, [...options, '--storage-path', join(folder, 'data')], port)
  const launched = await launchAnywhere(launch).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true })
    throw error
  })
  const { port } = launched
  let { child } = launched
  return {
    port,
    url: `mongodb://${HOST}:${port}`,
    pause: async () => {
      child.kill('SIGSTOP')
      // The signal alone lets the next call slip through.
      while (!stateOf(child).startsWith('T')) await delay(2)
    },
    resume: () => void child.kill('SIGCONT'),
    kill: () => end(child, 'SIGKILL'),
    restart: async () => {
      child = await launch(port)
    },
    stop: async () => {
      await end(child, 'SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function launchAnywhere(launch: (port: number) => Promise<ChildProcess>) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort()
    try {
      return { child: await launch(port), port }
    } catch (error) {
      if (attempt === START_ATTEMPTS) throw error // else somebody else may have taken the port
    }
  }
}

async function launchOn(python: string, options: readonly string[], port: number): Promise<ChildProcess> {
  const main = 'import sys; from secantus.cli import main; sys.exit(main())'
  const args = ['-c', main, ...options, '--log-level', 'ERROR', '--host', HOST, '--port', String(port)]
  // Its settings file is looked for in the working folder and the home folder: here is none.
  const child = spawn(python, args, { cwd: tmpdir(), stdio: ['ignore', 'ignore', 'pipe'] })
  let output = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < 10_000) output += text
  })
  const limit = performance.now() + START_LIMIT_MS
  while (!(await accepts(port))) {
    const isOver = child.exitCode !== null || child.signalCode !== null
    if (!isOver && performance.now() < limit) {
      await delay(20)
      continue
    }
    await end(child, 'SIGKILL')
    throw new Error(`The MongoDB test server does not start:\n${output}`)
  }
  return child
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, HOST)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // not yet
  } finally {
    socket.destroy()
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}

function stateOf(child: ChildProcess): string {
  return execFileSync('ps', ['-o', 'stat=', '-p', String(child.pid)], { encoding: 'utf8' })
}
