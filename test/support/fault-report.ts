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
        const { result, recoveredMs } = await suffer(t, { pocketbase: pocketbase.url, store: url() }, fault)
        rows.push(rowOf(store, fault.name, { ...result, recoveredMs }))
        assertResult(result, fault)
        assert.ok(recoveredMs < RECOVERY_MS, `well again only after ${recoveredMs} ms`)
      })
    },
  }
}

async function suffer(t: TestContext, options: { readonly pocketbase: string; readonly store: string }, fault: Fault) {
  const app = await startApp({ ...options, build: notesApp, storeTimeoutMs: DEADLINE_MS })
  const load = await startFaultLoad(app)
  t.after(async () => {
    await load.stop()
    await app.close()
  })
  await load.untilWell(ROUND, performance.now())
  const mendedAt = await fault.run(load)
  const recoveredMs = Math.round(await load.untilWell(ROUND, mendedAt))
  return { result: await load.finish(), recoveredMs }
}

function assertResult(result: FaultResult, { isFelt }: Fault): void {
  assert.deepEqual(result.violations.slice(0, 3), [])
  const { sessionsLost, sessionsRevived, writesLost, acknowledged } = result
  assert.deepEqual(
    { sessionsLost, sessionsRevived, writesLost },
    { sessionsLost: 0, sessionsRevived: 0, writesLost: 0 },
  )
  assert.ok(acknowledged.live > 0 && acknowledged.ended > 0, 'there was nothing to lose')
  assert.ok(result.longestMs <= DEADLINE_MS + SLACK_MS, `an answer took ${result.longestMs} ms`)
  if (isFelt !== 'maybe') assert.equal((result.statuses['503'] ?? 0) > 0, isFelt, JSON.stringify(result.statuses))
}

function rowOf(
  store: string,
  fault: string,
  result: FaultResult & { readonly recoveredMs: number },
): readonly string[] {
  const { requests, statuses, longestMs, recoveredMs, sessionsLost, sessionsRevived, writesLost } = result
  const counts = ['200', '204', '503'].map((status) => statuses[status] ?? 0)
  const numbers = [
    requests,
    ...counts,
    `${longestMs} ms`,
    `${recoveredMs} ms`,
    sessionsLost,
    sessionsRevived,
    writesLost,
  ]
  return [store, fault, ...numbers.map(String)]
}
