// The 99th percentile at a fixed rate that every server can do, beside bare Express.

import { readFileSync } from 'node:fs'
import type { Figure, Section } from './figure.ts'
import type { MeasuredServer } from './measured-server.ts'
import { prepareServer, type PrepareOptions } from './prepared-server.ts'
import { runOpenLoop } from './open-loop.ts'
import { medianOf, percentile } from './statistics.ts'
import { BARE, SQLITE, MEMORY, REDIS, type Subject } from './subjects.ts'

export interface TailLatencyOptions extends PrepareOptions {
  readonly rounds: number
  readonly seconds: number
}

const CONNECTIONS = 100
const PER_SECOND = 3000
const MEASURED: readonly Subject[] = [BARE, MEMORY, SQLITE, REDIS]

export async function measureTailLatency(options: TailLatencyOptions): Promise<Section> {
  const servers = new Map<Subject, MeasuredServer>()
  const samples = new Map<Subject, number[]>(MEASURED.map((subject) => [subject, []]))
  try {
    for (const subject of MEASURED) servers.set(subject, await start(subject, options))
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [subject, server] of servers) samples.get(subject)?.push(await measure(server, options.seconds))
    }
  } finally {
    for (const server of servers.values()) await server.stop()
  }
  return describe(new Map([...samples].map(([subject, values]) => [subject, medianOf(values)])))
}

function start(subject: Subject, options: TailLatencyOptions): Promise<MeasuredServer> {
  // Not the file that another server of the run has used.
  const again = subject === BARE ? BARE : { ...subject, id: `${subject.id}-tail` }
  return prepareServer(again, new Set(['/me']), options)
}

async function measure(server: MeasuredServer, seconds: number): Promise<number> {
  const cookies = readFileSync(server.cookieFile, 'utf8').trimEnd().split('\n')
  const load = { port: server.port, path: '/me', cookies, perSecond: PER_SECOND, connections: CONNECTIONS, seconds }
  const { latencies, failed } = await runOpenLoop(load)
  if (failed > 0) throw new Error(`${failed} requests failed`)
  return percentile(latencies, 0.99)
}

function describe(p99: ReadonlyMap<Subject, number>): Section {
  const bare = p99.get(BARE) ?? Number.NaN
  const figures = MEASURED.filter((subject) => subject !== BARE).map((subject): Figure => {
    const value = (p99.get(subject) ?? Number.NaN) / bare
    return { what: `p99 beside bare Express: ${subject.backend}`, value, unit: 'times', target: { atMost: 2 } }
  })
  const shown = MEASURED.map(
    (subject) => `${subject === BARE ? 'bare Express' : subject.backend} ${p99.get(subject)?.toFixed(2)} ms`,
  )
  return {
    title: `99th percentile at ${CONNECTIONS} connections and ${PER_SECOND} requests/s`,
    figures,
    lines: [`Median of the rounds: ${shown.join(', ')}.`],
  }
}
