// Runs another program and waits for it, with its output passed through or collected.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

export interface CommandOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** `show`: straight to our own output. `collect` (default): into the result. */
  readonly output?: 'show' | 'collect'
  /** The program is asked to stop (SIGTERM) when it takes longer. */
  readonly timeoutMs?: number
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly code: number | null
  /** stdout and stderr in the order of arrival; empty with `show`. */
  readonly output: string
  readonly timedOut: boolean
}

/** How long a program may take to obey SIGTERM. */
const GRACE_MS = 10_000

const running = new Set<ChildProcess>()

/** Rejects only when the program cannot be started at all. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const stdio = options.output === 'show' ? 'inherit' : 'pipe'
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: ['ignore', stdio, stdio] })
  running.add(child)
  let output = ''
  let timedOut = false
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
  const deadline = setTimeout(
    () => {
      timedOut = true
      stop(child)
    },
    options.timeoutMs ?? 2 ** 31 - 1,
  )
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, output, timedOut }
  } finally {
    clearTimeout(deadline)
    running.delete(child)
  }
}

/** Passes SIGINT and SIGTERM on to what is running; `node --test` then ends its own children and says what it was at. */
export function stopCommandsOnSignal(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.exitCode = signal === 'SIGINT' ? 130 : 143
      for (const child of running) stop(child)
    })
  }
}

function stop(child: ChildProcess): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
}
