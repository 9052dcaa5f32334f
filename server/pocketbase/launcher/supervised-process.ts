// PocketBase under its watchdog: started together, ended together.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { WatchdogMessage } from './watchdog.ts'

export interface SupervisedProcessOptions {
  readonly binary: string
  readonly args: readonly string[]
  /** The whole environment of the child. */
  readonly env: Readonly<Record<string, string>>
  /** Called for each line that PocketBase prints. */
  readonly onLine: (line: string, stream: 'stdout' | 'stderr') => void
}

export interface SupervisedProcess {
  /** Of PocketBase itself. */
  readonly pid: number
  /** Settles when PocketBase and its watchdog have ended: how. */
  readonly ended: Promise<string>
  /** Asks PocketBase to finish, and waits for it. */
  stop(): Promise<void>
}

const WATCHDOG = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './watchdog.ts' : './watchdog.js', import.meta.url),
)

/** @throws Error where the program cannot be started at all */
export async function startSupervised(options: SupervisedProcessOptions): Promise<SupervisedProcess> {
  const watchdog = spawn(process.execPath, [WATCHDOG, options.binary, ...options.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: options.env,
    // A process group of its own: Ctrl-C reaches only us, and PocketBase stops when our requests are finished.
    detached: true,
  })
  readLines(watchdog.stdout, (line) => options.onLine(line, 'stdout'))
  readLines(watchdog.stderr, (line) => options.onLine(line, 'stderr'))
  let pid: number | null = null
  let how: string | null = null
  watchdog.on('message', (message) => {
    const told = message as WatchdogMessage // our own program at the other end
    if (told.kind === 'started') pid = told.pid
    else how = describe(told)
  })
  watchdog.once('disconnect', () => {
    // The watchdog itself was killed: PocketBase is still there, and nobody else would end it.
    if (how === null && pid !== null) killQuietly(pid)
  })
  const ended = once(watchdog, 'close').then(() => how ?? 'its watchdog was killed')
  await Promise.race([once(watchdog, 'message'), ended])
  if (pid === null) throw new Error(`${options.binary} cannot be started: ${await ended}`)
  return { pid, ended, stop: () => stop(watchdog, ended) }
}

async function stop(watchdog: ChildProcess, ended: Promise<string>): Promise<void> {
  if (watchdog.connected) watchdog.send('stop')
  await ended
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', onLine)
}

function describe(message: Exclude<WatchdogMessage, { readonly kind: 'started' }>): string {
  if (message.kind === 'failed') return message.message
  return message.signal === null ? `exit code ${message.code}` : `signal ${message.signal}`
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself in this moment.
  }
}
