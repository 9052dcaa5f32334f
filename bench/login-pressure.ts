// The 99th percentile of GET /me while many clients sign in as fast as they can, beside the same without them.

import { readFileSync } from 'node:fs'
import { BrowserClient } from '../test/support/browser-client.ts'
import { startBenchPocketBase } from './bench-pocketbase.ts'
import type { Section } from './figure.ts'
import { startServer, type MeasuredServer } from './measured-server.ts'
import { runOpenLoop } from './open-loop.ts'
import type { PrepareOptions } from './prepared-server.ts'
import { medianOf, percentile } from './statistics.ts'
import { SQLITE } from './subjects.ts'
import { runSlice } from './wrk.ts'

export interface LoginPressureOptions extends PrepareOptions {
  readonly rounds: number
  readonly seconds: number
}

const CLIENTS = 50
const PASSWORD = 'correct horse'
const ME = { path: '/me', perSecond: 500, connections: 20 } as const

export async function measureLoginPressure(options: LoginPressureOptions): Promise<Section> {
  const { backends } = options
  const pocketbase = await startBenchPocketBase()
  try {
    const store = backends.storeOf({ ...SQLITE, id: 'login-pressure' })
    const cookieFile = backends.file('login-pressure.txt')
    const task = { sessions: SQLITE.sessions, store, cookieFile, pocketbase: pocketbase.url }
    const server = await startServer(SQLITE.program, task)
    try {
      return await measure(server, options)
    } finally {
      await server.stop()
    }
  } finally {
    await pocketbase.stop()
  }
}

async function measure(server: MeasuredServer, { rounds, seconds, print }: LoginPressureOptions): Promise<Section> {
  await runSlice(server, { path: '/me', seconds: 1, after: 0 })
  const people = await Promise.all(Array.from({ length: CLIENTS }, (_, n) => register(server, n)))
  print(`${CLIENTS} people have registered`)
  const [alone, pressed]: [number[], number[]] = [[], []]
  let logins = 0
  for (let round = 0; round < rounds; round += 1) {
    alone.push(await p99Of(server, seconds))
    const hammer = startHammer(people)
    try {
      pressed.push(await p99Of(server, seconds))
    } finally {
      logins += await hammer.stop()
    }
  }
  const [without, during] = [medianOf(alone), medianOf(pressed)]
  return {
    title: `GET /me while ${CLIENTS} clients sign in without a pause`,
    figures: [
      { what: 'p99 beside the same without them', value: during / without, unit: 'times', target: { atMost: 2 } },
    ],
    lines: [
      `Median of the rounds at ${ME.perSecond} requests/s, SQLite: ${without.toFixed(2)} ms without, ${during.toFixed(2)} ms with them; ${logins} logins meanwhile, bcrypt cost 10.`,
    ],
  }
}

async function p99Of(server: MeasuredServer, seconds: number): Promise<number> {
  const cookies = readFileSync(server.cookieFile, 'utf8').trimEnd().split('\n')
  const { latencies, failed } = await runOpenLoop({ ...ME, port: server.port, cookies, seconds })
  if (failed > 0) throw new Error(`${failed} requests failed`)
  return percentile(latencies, 0.99)
}

const addressOf = (n: number): string => `person${n}@bench.example`

async function register(server: MeasuredServer, n: number): Promise<BrowserClient> {
  const browser = new BrowserClient(server.url)
  const { status, text } = await browser.register(addressOf(n), PASSWORD)
  if (status !== 201) throw new Error(`not registered: ${status} ${text}`)
  return browser
}

interface Hammer {
  /** Answers how many logins there were. */
  stop(): Promise<number>
}

function startHammer(people: readonly BrowserClient[]): Hammer {
  const stopping = new AbortController()
  let logins = 0
  const hammer = async (browser: BrowserClient, n: number): Promise<void> => {
    while (!stopping.signal.aborted) {
      const { status, text } = await browser.login(addressOf(n), PASSWORD)
      if (status !== 200) throw new Error(`not signed in: ${status} ${text}`)
      logins += 1
    }
  }
  const done = Promise.all(people.map(hammer))
  done.catch(() => undefined) // thrown by stop(), once the measurement is over
  return {
    async stop() {
      stopping.abort()
      await done
      return logins
    },
  }
}
