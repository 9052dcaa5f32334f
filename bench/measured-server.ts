// A server in a process of its own, pinned to the first core; everything else runs on the others.

import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { ServerReady, ServerTask } from './servers/server-task.ts'

export interface MeasuredServer extends ServerReady {
  readonly url: string
  readonly pid: number
  readonly cookieFile: string
  /** Processor time that the process has used since its start, in milliseconds. */
  cpuMs(): number
  stop(): Promise<void>
  /** Lets it end by itself, so that it writes what it writes at its end. */
  finish(): Promise<void>
}

export interface StartOptions {
  /** Flags of Node. */
  readonly flags?: readonly string[]
}

/** What /proc counts processor time in: USER_HZ is 100 on every Linux. */
const TICK_MS = 10
export const SERVER_CORE = '0'

const lastWords = new WeakMap<ChildProcess, string>()

/** Keeps this process, and what it starts from now on, off the core of the servers. */
export function leaveServerCore(): void {
  const cores = cpus().length
  if (process.platform !== 'linux' || cores < 2) throw new Error('The benchmark needs Linux and two cores.')
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', `1-${cores - 1}`, String(process.pid)])
  if (status !== 0) throw new Error(`taskset: ${stderr?.toString() ?? 'not found'}`)
}

/** Starts `program` (a path in bench/) and waits until its sessions are there. Whoever starts it stops it. */
export async function startServer(
  program: string,
  task: ServerTask,
  { flags = [] }: StartOptions = {},
): Promise<MeasuredServer> {
  const child = spawnOnServerCore([...flags, pathOf(program), JSON.stringify(task)])
  const ready = await readyOf(child, program)
  return {
    ...ready,
    url: `http://127.0.0.1:${ready.port}`,
    pid: child.pid ?? 0,
    cookieFile: task.cookieFile,
    cpuMs: () => cpuMsOf(child.pid ?? 0),
    stop: () => stop(child),
    finish: async () => {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/** Processor time of any process, in milliseconds. */
export function cpuMsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name of the program is in brackets and may hold anything; utime and stime are the 14th and 15th value.
  const values = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(values[11]) + Number(values[12])) * TICK_MS
}

export function spawnOnServerCore(args: readonly string[]): ChildProcess {
  return start('taskset', ['-c', SERVER_CORE, process.execPath, ...args])
}

export function spawnElsewhere(args: readonly string[]): ChildProcess {
  return start(process.execPath, args)
}

function start(command: string, args: readonly string[]): ChildProcess {
  const env = { ...process.env, NODE_ENV: 'production' }
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], env })
  child.stderr
    ?.setEncoding('utf8')
    .on('data', (text: string) => lastWords.set(child, (lastWordsOf(child) + text).slice(-4000)))
  return child
}

/** What a process has written to stderr, the end of it. */
export function lastWordsOf(child: ChildProcess): string {
  return lastWords.get(child) ?? ''
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

/** The first message of a process; what it wrote to stderr where it ends instead. */
export async function readyOf<T extends object = ServerReady>(child: ChildProcess, program: string): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: T) => resolve(message))
    child.once('close', (code) => reject(new Error(`${program} ended with ${code}:\n${lastWordsOf(child)}`)))
    child.once('error', reject)
  })
}

export function pathOf(program: string): string {
  return fileURLToPath(new URL(program, import.meta.url))
}
