// The server as its users start it: a child process with its own folder, environment and signals.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export interface ProcessOptions {
  /** Where it runs: `.env` and `data/` are looked for here. */
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

export interface ServerProcess {
  readonly child: ChildProcess
  /** The address that it printed. */
  readonly url: string
  /** What it has printed so far. */
  output(): string
  /** Resolves when it has printed something that matches. */
  printed(pattern: RegExp): Promise<RegExpExecArray>
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>
  readonly ended: Promise<Ended>
}

const MAIN = fileURLToPath(new URL('../../server/cli/bin.ts', import.meta.url))
/** What a program needs of its surroundings, and the mark of the test run; nothing else of ours leaks into a test. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'POCKETBASE_BIN', 'XDG_CACHE_HOME', 'PBS_TEST_RUN']

/** A first start applies migrations; a loaded machine takes its time for that. */
const PRINT_TIMEOUT_MS = 60_000

/** Runs one of our commands to its end. */
export async function runCli(args: readonly string[], options: ProcessOptions): Promise<Ended> {
  return launch([MAIN, ...args], options).ended
}

/** Starts `pocketbase-session serve` on a free port and waits for its address. */
export function startServerProcess(options: ProcessOptions): Promise<ServerProcess> {
  return startProgram([MAIN, 'serve'], options, /^ +Open +(https?:\S+)$/m)
}

/** Starts a program that prints its address. @throws Error with its output where it ends before that */
export async function startProgram(
  args: readonly string[],
  options: ProcessOptions,
  address: RegExp,
): Promise<ServerProcess> {
  const { child, ended, printed, output } = launch(args, options)
  const [, url = ''] = await printed(address)
  return {
    child,
    url,
    output,
    printed,
    ended,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

function launch(args: readonly string[], { cwd, env = {} }: ProcessOptions) {
  const passedOn = PASSED_ON.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...Object.fromEntries(passedOn), PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const onText = (text: string): void => {
    output += text
    child.emit('output')
  }
  child.stdout.setEncoding('utf8').on('data', onText)
  child.stderr.setEncoding('utf8').on('data', onText)
  const ended = once(child, 'close').then(([code, signal]): Ended => ({ code, signal, output }))
  const printed = async (pattern: RegExp): Promise<RegExpExecArray> => {
    const deadline = AbortSignal.timeout(PRINT_TIMEOUT_MS)
    for (;;) {
      const found = pattern.exec(output)
      if (found !== null) return found
      if (child.exitCode !== null || child.signalCode !== null) throw new Error(`It ended first:\n${output}`)
      if (deadline.aborted) throw new Error(`${pattern} was not printed in time:\n${output}`)
      await Promise.race([once(child, 'output'), ended, once(deadline, 'abort')])
    }
  }
  return { child, ended, printed, output: () => output }
}
