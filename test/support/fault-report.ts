// One fault after the other on a store under load: what must hold for each, and the table of all.

import assert from 'node:assert/strict'
import { after, before, it, type TestContext } from 'node:test'
import { table } from '../../server/cli/table.ts'
import { startApp } from './app.ts'
import { startFaultLoad, type FaultLoad, type FaultResult } from './fault-load.ts'
import { notesApp } from './notes-app.ts'
import { startPocketBase, type TestPocketBase } from './pocketbase.ts'

export interface Fault {
  /** In the table. */
  readonly name: string
  /** Whether requests fail while it lasts. `maybe`: a store may get over it within a request. */
  readonly isFelt: boolean | 'maybe'
  /** Breaks the store under load, and mends it. Answers when the store was able to answer again. */
  run(load: FaultLoad): Promise<number>
}

interface Suffered extends FaultResult {
  /** The longest answer while nothing was broken: what the machine is busy with else. */
  readonly usualMs: number
  /** From when it was broken to the last answer that was not good. */
  readonly lastedMs: number
  /** The same from when the store could answer again. */
  readonly recoveredMs: number
}

export interface FaultTests {
  /** Registers a test: this fault on the store that `url` names. */
  test(store: string, url: () => string, fault: Fault): void
}

const DEADLINE_MS = 2000
const SLACK_MS = 1000
const RECOVERY_MS = 5000
/** More than a whole round of what a visitor does. */
const ROUND = 15

const HEAD = [
  'STORE',
  'FAULT',
  'REQUESTS',
  '200',
  '204',
  '503',
  'LONGEST',
  'LASTED',
  'RECOVERED',
  'LOST',
  'REVIVED',
  'WRITES LOST',
]

/** A table of the faults that a file tests is printed at its end. */
export function faultTests(): FaultTests {
  const rows: (readonly string[])[] = []
  let pocketbase: TestPocketBase
  before(async () => {
    pocketbase = await startPocketBase()
  })
  after(async () => {
    await pocketbase?.stop()
    process.stdout.write(`\n${table(HEAD, rows)}\n\n`)
  })
  return {
    test(store, url, fault) {
      it(`${store}, ${fault.name}: answers in time, recovers by itself, keeps its word`, async (t) => {
        const result = await suffer(t, { pocketbase: pocketbase.url, store: url() }, fault)
        rows.push(rowOf(store, fault.name, result))
        assertResult(result, fault)
      })
    },
  }
}

async function suffer(
  t: TestContext,
  options: { readonly pocketbase: string; readonly store: string },
  fault: Fault,
): Promise<Suffered> {
  const app = await startApp({ ...options, build: notesApp, storeTimeoutMs: DEADLINE_MS })
  const load = await startFaultLoad(app)
  t.after(async () => {
    await load.stop()
    await app.close()
  })
  await load.untilWell(ROUND)
  const usualMs = load.longestMs()
  const brokenAt = performance.now()
  const mendedAt = await fault.run(load)
  const wellAt = await load.untilWell(ROUND)
  const result = await load.finish()
  return { ...result, usualMs, lastedMs: msBetween(brokenAt, wellAt), recoveredMs: msBetween(mendedAt, wellAt) }
}

function msBetween(from: number, to: number): number {
  return Math.round(Math.max(0, to - from))
}

function assertResult(result: Suffered, { isFelt }: Fault): void {
  assert.deepEqual(result.violations.slice(0, 3), [])
  const { sessionsLost, sessionsRevived, writesLost, acknowledged } = result
  assert.deepEqual(
    { sessionsLost, sessionsRevived, writesLost },
    { sessionsLost: 0, sessionsRevived: 0, writesLost: 0 },
  )
  assert.ok(acknowledged.live > 0 && acknowledged.ended > 0, 'there was nothing to lose')
  const { longestMs, usualMs } = result
  assert.ok(longestMs <= DEADLINE_MS + SLACK_MS + usualMs, `an answer took ${longestMs} ms, before ${usualMs} ms`)
  assert.ok(result.recoveredMs < RECOVERY_MS, `well again only after ${result.recoveredMs} ms`)
  if (isFelt !== 'maybe') assert.equal((result.statuses['503'] ?? 0) > 0, isFelt, JSON.stringify(result.statuses))
}

function rowOf(store: string, fault: string, result: Suffered): readonly string[] {
  const { requests, statuses, longestMs, lastedMs, recoveredMs, sessionsLost, sessionsRevived, writesLost } = result
  const counts = ['200', '204', '503'].map((status) => statuses[status] ?? 0)
  const numbers = [
    requests,
    ...counts,
    `${longestMs} ms`,
    `${lastedMs} ms`,
    `${recoveredMs} ms`,
    sessionsLost,
    sessionsRevived,
    writesLost,
  ]
  return [store, fault, ...numbers.map(String)]
}
