// The throughput rows: all servers run at once, and are measured in turn, slice by slice, round by round.

import type { Backends } from './backends.ts'
import { checkServer } from './check-server.ts'
import { startServer, type MeasuredServer } from './measured-server.ts'
import { spreadOf, type Spread } from './statistics.ts'
import { BARE, type Row, type Subject } from './subjects.ts'
import { runSlice, type SliceResult } from './wrk.ts'

export interface RoundOptions {
  readonly rounds: number
  readonly seconds: number
  readonly backends: Backends
  readonly print: (line: string) => void
}

export interface MeasuredRow {
  readonly row: Row
  /** To bare Express in the same round. */
  readonly ratio: Spread
  readonly perSecond: Spread
  readonly cpuMicroseconds: Spread
}

export interface Rounds {
  readonly bare: Pick<MeasuredRow, 'perSecond' | 'cpuMicroseconds'>
  readonly rows: readonly MeasuredRow[]
}

/** What is still compiled or cached for the first time is not measured. */
const WARM_UP_SECONDS = 1
/** Until most of the sessions have been asked for once. */
const WARM_UP_MANY_SECONDS = 8
/** A reference at the begin of a round, at its end, and after this many rows. */
const ROWS_PER_REFERENCE = 7

type Samples = Map<Row | 'bare', { readonly result: SliceResult; readonly ratio: number }[]>

export async function measureRounds(rows: readonly Row[], options: RoundOptions): Promise<Rounds> {
  const subjects = [BARE, ...new Set(rows.map((row) => row.subject))]
  const servers = new Map<Subject, MeasuredServer>()
  try {
    for (const subject of subjects) servers.set(subject, await prepare(subject, rows, options))
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

/** Starts a server, checks its answers and warms it up. */
async function prepare(
  subject: Subject,
  rows: readonly Row[],
  { backends, print }: RoundOptions,
): Promise<MeasuredServer> {
  const started = performance.now()
  const task = {
    sessions: subject.sessions,
    store: backends.storeOf(subject),
    cookieFile: backends.file(`${subject.id}.txt`),
  }
  const server = await startServer(subject.program, task)
  try {
    const mine = rows.filter((row) => row.subject === subject)
    await checkServer(server, subject, new Set(mine.map((row) => row.path)))
    const isPeer = subject.program.startsWith('peers/')
    const seconds = subject.sessions > 1000 && !isPeer ? WARM_UP_MANY_SECONDS : WARM_UP_SECONDS
    for (const row of mine) await runSlice(server, { ...sliceOf(row), seconds, start: 0 })
  } catch (error) {
    await server.stop()
    throw error
  }
  print(`${subject.id}: checked and warm after ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return server
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
    return runSlice(server, { ...sliceOf({ path }), seconds, start: round * 37_171 })
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
  const add = (key: Row | 'bare', result: SliceResult, reference: number): void => {
    samples.set(key, [...(samples.get(key) ?? []), { result, ratio: result.perSecond / reference }])
  }
  for (const result of references) add('bare', result, mean(references))
  for (const [index, result] of results.entries()) {
    const row = rows[index]
    if (row !== undefined) add(row, result, mean(row.path === '/hello' ? anonymous : references))
  }
}

function mean(results: readonly SliceResult[]): number {
  return results.reduce((sum, { perSecond }) => sum + perSecond, 0) / results.length
}

function sliceOf({ path }: Pick<Row, 'path'>): { readonly path: string; readonly cookies: boolean } {
  return { path, cookies: path !== '/hello' }
}

function summarize(rows: readonly Row[], samples: Samples): Rounds {
  const spread = (key: Row | 'bare'): Omit<MeasuredRow, 'row'> => {
    const all = samples.get(key) ?? []
    return {
      ratio: spreadOf(all.map(({ ratio }) => ratio)),
      perSecond: spreadOf(all.map(({ result }) => result.perSecond)),
      cpuMicroseconds: spreadOf(all.map(({ result }) => result.cpuMicroseconds)),
    }
  }
  return { bare: spread('bare'), rows: rows.map((row) => ({ row, ...spread(row) })) }
}
