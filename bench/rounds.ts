// The throughput rows: all servers run at once, and are measured in turn, slice by slice, round by round.

import type { MeasuredServer } from './measured-server.ts'
import { prepareServer, type PrepareOptions } from './prepared-server.ts'
import { spreadOf, type Spread } from './statistics.ts'
import { BARE, type Row, type Subject } from './subjects.ts'
import { runSlice, type SliceResult } from './wrk.ts'

export interface RoundOptions extends PrepareOptions {
  readonly rounds: number
  readonly seconds: number
}

export interface MeasuredRow {
  readonly row: Row
  /** Throughput, to that of bare Express in the same round. */
  readonly ratio: Spread
  /** The same by processor time, which does not count what else the machine does. */
  readonly cpuRatio: Spread
  readonly perSecond: Spread
  readonly cpuMicroseconds: Spread
}

export interface Rounds {
  readonly bare: Pick<MeasuredRow, 'perSecond' | 'cpuMicroseconds'>
  readonly rows: readonly MeasuredRow[]
}

/** A reference at the begin of a round, at its end, and after this many rows. */
const ROWS_PER_REFERENCE = 7

interface Sample extends SliceResult {
  readonly ratio: number
  readonly cpuRatio: number
}

type Samples = Map<Row | 'bare', Sample[]>

export async function measureRounds(rows: readonly Row[], options: RoundOptions): Promise<Rounds> {
  const subjects = [BARE, ...new Set(rows.map((row) => row.subject))]
  const servers = new Map<Subject, MeasuredServer>()
  try {
    for (const subject of subjects) servers.set(subject, await prepareServer(subject, pathsOf(subject, rows), options))
    const samples: Samples = new Map()
    for (let round = 0; round < options.rounds; round += 1) {
      options.print(`round ${round + 1} of ${options.rounds}`)
      await measureRound(rows, { ...options, servers, samples, round })
    }
    return summarize(rows, samples)
  } finally {
    for (const server of servers.values()) await server.stop()
  }
}

interface Round extends RoundOptions {
  readonly servers: ReadonlyMap<Subject, MeasuredServer>
  readonly samples: Samples
  readonly round: number
}

async function measureRound(rows: readonly Row[], { servers, samples, round, seconds }: Round): Promise<void> {
  const slice = async (subject: Subject, path: Row['path']): Promise<SliceResult> => {
    const server = servers.get(subject)
    if (server === undefined) throw new Error(`${subject.id} was not started`)
    // A begin of its own each round, so that all sessions are asked for.
    return runSlice(server, { path, seconds, after: round * 37_171 })
  }
  const references = [await slice(BARE, '/me')]
  const anonymous: SliceResult[] = []
  const results: SliceResult[] = []
  for (const [index, row] of rows.entries()) {
    results.push(await slice(row.subject, row.path))
    // A request without a cookie is cheaper for bare Express too.
    if (row.path === '/hello') anonymous.push(await slice(BARE, '/hello'))
    if ((index + 1) % ROWS_PER_REFERENCE === 0) references.push(await slice(BARE, '/me'))
  }
  references.push(await slice(BARE, '/me'))
  const add = (key: Row | 'bare', result: SliceResult, bare: readonly SliceResult[]): void => {
    const ratio = result.perSecond / mean(bare.map((each) => each.perSecond))
    const cpuRatio = mean(bare.map((each) => each.cpuMicroseconds)) / result.cpuMicroseconds
    samples.set(key, [...(samples.get(key) ?? []), { ...result, ratio, cpuRatio }])
  }
  for (const result of references) add('bare', result, references)
  for (const [index, result] of results.entries()) {
    const row = rows[index]
    if (row !== undefined) add(row, result, row.path === '/hello' ? anonymous : references)
  }
}

function pathsOf(subject: Subject, rows: readonly Row[]): ReadonlySet<Row['path']> {
  if (subject === BARE) return new Set(['/me', '/hello'])
  return new Set(rows.filter((row) => row.subject === subject).map((row) => row.path))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function summarize(rows: readonly Row[], samples: Samples): Rounds {
  const spread = (key: Row | 'bare'): Omit<MeasuredRow, 'row'> => {
    const all = samples.get(key) ?? []
    return {
      ratio: spreadOf(all.map(({ ratio }) => ratio)),
      cpuRatio: spreadOf(all.map(({ cpuRatio }) => cpuRatio)),
      perSecond: spreadOf(all.map(({ perSecond }) => perSecond)),
      cpuMicroseconds: spreadOf(all.map(({ cpuMicroseconds }) => cpuMicroseconds)),
    }
  }
  return { bare: spread('bare'), rows: rows.map((row) => ({ row, ...spread(row) })) }
}
