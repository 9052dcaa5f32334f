// Sessions that are made, written to and ended without a pause, while a test breaks what they are kept in; and whether all that
// was acknowledged is still true afterwards.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { Store } from '../../server/sessions/store.ts'
import { sampleSession } from '../../server/testing.ts'

export interface SessionLoad {
  /** Goes on until so many further calls have failed. */
  untilFailed(count: number): Promise<void>
  /** Goes on until so many further calls in a row have succeeded. Answers after how long the first of them did. */
  untilWell(count: number): Promise<number>
  /** The longest that a call has taken so far. */
  longestMs(): number
  stop(): Promise<void>
  /** No session that was acknowledged is lost, none that was ended lives, no acknowledged write is gone. */
  assertNothingLost(store: Store): Promise<void>
}

type State = 'live' | 'ended' | 'unknown'

interface Known {
  readonly key: string
  /** `unknown` after a failed ending. */
  state: State
  /** The last value that was acknowledged; `undefined` after a write that failed. */
  value: number | undefined
}

const WORKERS = 8
const FIELD = 'data:n'

/** @param now fixed: what is live stays live for the length of a test */
export function startSessionLoad(store: Store, now = Date.now()): SessionLoad {
  const known: Known[] = []
  const counts = { failed: 0, wellInARow: 0, firstWellAt: 0, longestMs: 0 }
  const running = new AbortController()

  const call = async <T>(work: () => Promise<T> | T): Promise<T | undefined> => {
    const start = performance.now()
    try {
      const answer = await work()
      if (counts.wellInARow === 0) counts.firstWellAt = performance.now()
      counts.wellInARow += 1
      return answer
    } catch {
      // What is expected of a store that is being broken; how often is counted.
      counts.failed += 1
      counts.wellInARow = 0
      return undefined
    } finally {
      counts.longestMs = Math.max(counts.longestMs, performance.now() - start)
    }
  }
  const worker = async (): Promise<void> => {
    while (!running.signal.aborted) {
      await live(store, { known, call, now })
      await delay(1)
    }
  }
  const workers = Array.from({ length: WORKERS }, () => worker())
  return {
    async untilFailed(count) {
      const enough = counts.failed + count
      while (counts.failed < enough) await delay(5)
    },
    async untilWell(count) {
      const start = performance.now()
      counts.wellInARow = 0
      while (counts.wellInARow < count) await delay(5)
      return counts.firstWellAt - start
    },
    longestMs: () => counts.longestMs,
    async stop() {
      running.abort()
      await Promise.all(workers)
    },
    assertNothingLost: (other) => assertNothingLost(other, known, now),
  }
}

interface Life {
  readonly known: Known[]
  readonly call: <T>(work: () => Promise<T> | T) => Promise<T | undefined>
  readonly now: number
}

/** One session: made, found, written to, and every other time ended. */
async function live(store: Store, { known, call, now }: Life): Promise<void> {
  const record = sampleSession(now, { userId: `user${known.length % 50}`, fields: new Map() })
  const created = await call(async () => {
    await store.create(record)
    return true
  })
  if (created === undefined) return // whoever was told so never had its cookie
  const session: Known = { key: record.key, state: 'live', value: 0 }
  known.push(session)
  for (const value of [1, 2]) {
    const set = new Map([[FIELD, Uint8Array.of(value)]])
    const written = await call(() => store.update(record.key, { set }, now))
    assert.notEqual(written, 'gone', 'a session that is live was gone')
    session.value = written === undefined ? undefined : value
  }
  const found = await call(async () => (await store.find(record.key, now)) ?? 'nothing')
  assert.notEqual(found, 'nothing', 'a session that was acknowledged is not there')
  if (known.length % 2 === 0) return
  const ended = await call(() => store.end(record.key, 'logout', now))
  session.state = ended === undefined ? 'unknown' : 'ended'
}

async function assertNothingLost(store: Store, known: readonly Known[], now: number): Promise<void> {
  const lost = { sessions: 0, revived: 0, writes: 0 }
  for (const { key, state, value } of known) {
    const found = await store.find(key, now)
    if (found === undefined || (state === 'live' && found.live === undefined)) lost.sessions += 1
    if (state === 'ended' && found?.live) lost.revived += 1
    const stored = found?.live?.fields.get(FIELD)?.[0] ?? 0
    if (state === 'live' && value !== undefined && stored !== value) lost.writes += 1
  }
  assert.deepEqual(lost, { sessions: 0, revived: 0, writes: 0 })
  assert.ok(known.length > 0)
}
