// Concurrent users on the whole product with a real PocketBase: how the figures grow with them.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { findFreePort } from '../server/pocketbase/launcher/free-port.ts'
import type { Backends } from './backends.ts'
import { startBenchPocketBase } from './bench-pocketbase.ts'
import { emptyLog, useProduct, type UserLog } from './bench-user.ts'
import type { Section } from './figure.ts'
import { cpuMsOf, pathOf, SERVER_CORE, stop } from './measured-server.ts'
import { BENCH_SECRET } from './servers/our-options.ts'
import { percentile } from './statistics.ts'

export interface UsersOptions {
  readonly backends: Backends
  readonly counts: readonly number[]
  readonly print: (line: string) => void
}

const COLUMNS = [
  'users',
  'seconds',
  'requests/s',
  'p50',
  'p95',
  'p99',
  'register, login: p50',
  'p95',
  'p99',
  'told to come later',
  'errors',
  'CPU ours',
  'CPU PocketBase',
]

export async function measureUsers({ backends, counts, print }: UsersOptions): Promise<Section> {
  const rows: (readonly string[])[] = []
  const errors = new Set<string>()
  for (const count of counts) {
    const { row, log } = await runStep(count, backends.file(`users-${count}`))
    print(`${count} users: ${row.slice(1).join(' | ')}`)
    rows.push(row)
    for (const error of log.errors) errors.add(error)
  }
  const table = [COLUMNS, COLUMNS.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return {
    title: 'Users at once on the whole product: register, login, 20 mixed requests, logout (times in milliseconds)',
    figures: [],
    lines: [...table, ...(errors.size === 0 ? [] : ['', `Errors: ${[...errors].join(', ')}`])],
  }
}

/** A server and a PocketBase of its own for each step, so that none finds what the last has left. */
async function runStep(
  count: number,
  folder: string,
): Promise<{ readonly row: readonly string[]; readonly log: UserLog }> {
  const pocketbase = await startBenchPocketBase()
  try {
    const { child, url } = await startProduct(folder, pocketbase.url)
    try {
      const pids = [child.pid ?? 0, pocketbase.pid()]
      const before = pids.map(cpuMsOf)
      const started = performance.now()
      const log = emptyLog()
      await Promise.all(Array.from({ length: count }, (_, n) => useProduct(url, n, log)))
      const ms = performance.now() - started
      const cpu = pids.map((pid, index) => `${Math.round(((cpuMsOf(pid) - (before[index] ?? 0)) / ms) * 100)} %`)
      return { row: [String(count), ...figuresOf(log, ms), ...cpu], log }
    } finally {
      await stop(child)
    }
  } finally {
    await pocketbase.stop()
  }
}

function figuresOf({ latencies, later, errors }: UserLog, ms: number): readonly string[] {
  const requests = latencies.password.length + latencies.other.length
  const shares = (values: readonly number[]): readonly string[] =>
    [0.5, 0.95, 0.99].map((share) => percentile(values, share).toFixed(0))
  const speed = [(ms / 1000).toFixed(1), ((requests * 1000) / ms).toFixed(0)]
  return [...speed, ...shares(latencies.other), ...shares(latencies.password), String(later), String(errors.length)]
}

/** `pocketbase-session serve`, as an operator starts it behind a proxy. */
async function startProduct(folder: string, pocketbaseUrl: string): Promise<{ child: ChildProcess; url: string }> {
  mkdirSync(folder)
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const bin = pathOf('../server/cli/bin.ts')
  const child = spawn('taskset', ['-c', SERVER_CORE, process.execPath, bin, 'serve'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
    env: {
      ...process.env,
      PORT: String(port),
      ORIGIN: url,
      SESSION_SECRET: BENCH_SECRET,
      POCKETBASE_URL: pocketbaseUrl,
      TRUST_PROXY: '1',
      LOG_LEVEL: 'error',
    },
  })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`serve ended with ${code}`)))
  await Promise.race([untilOpen(child), ended])
  ended.catch(() => undefined) // it is ended by us
  return { child, url }
}

/** Goes on reading afterwards: a pipe that nobody reads would stop the server one day. */
function untilOpen({ stdout }: ChildProcess): Promise<void> {
  let text = ''
  return new Promise((resolve) => {
    stdout?.on('data', (chunk: Buffer) => {
      if (text.length < 10_000) text += chunk.toString()
      if (text.includes('Dashboard')) resolve()
    })
  })
}
