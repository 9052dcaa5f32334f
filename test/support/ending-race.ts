// Sessions that one node ends while another finds them all the time: whether a find that began after the ending's answer
// still found one of them live.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { isPromise } from '../../server/lib/maybe-promise.ts'
import type { SessionRecord } from '../../server/sessions/record.ts'
import type { Store } from '../../server/sessions/store.ts'
import { sampleSession, successorKey } from '../../server/testing/sample-session.ts'

export interface EndingRace {
  /** Where sessions are found. */
  readonly reader: Store
  /** Where they are ended. */
  readonly ender: Store
  readonly endings: number
}

export interface EndingRaceReport {
  /** Finds that began after the ending's answer, and found the session live all the same. */
  readonly passed: number
  /** Endings of sessions that the reader had kept: it found them without asking right before. */
  readonly endedWhileKept: number
  /** Finds that failed: the store could not be asked. */
  readonly failed: number
}

interface Scene extends EndingRace {
  readonly now: number
  /** Of this batch. */
  readonly records: readonly SessionRecord[]
  /** Keys whose ending was answered. */
  readonly ended: Set<string>
  readonly counts: { passed: number; endedWhileKept: number; failed: number; waiting: number }
}

const BATCH = 500
const SESSIONS_OF_A_USER = 5
/** Endings of one batch begin within this time. */
const WITHIN_MS = 100
const FINDS_AT_ONCE = 40
const MOST_WAITING = 400

/** Ends sessions one by one, by a change of id, and by user. The number is rounded up to whole batches. */
export async function raceEndings(race: EndingRace): Promise<EndingRaceReport> {
  const counts = { passed: 0, endedWhileKept: 0, failed: 0, waiting: 0 }
  for (let done = 0; done < race.endings; done += BATCH) {
    const now = Date.now()
    const records = Array.from({ length: BATCH }, (_, i) =>
      sampleSession(now, { userId: `user${done + (i - (i % SESSIONS_OF_A_USER))}` }),
    )
    await Promise.all(records.map(async (record) => race.ender.create(record)))
    const scene = { ...race, now, records, ended: new Set<string>(), counts }
    const reading = new AbortController()
    const busy = findAllTheTime(scene, reading.signal)
    try {
      await delay(20)
      await Promise.all(endingsOf(records).map((ending) => end(scene, ending)))
    } finally {
      reading.abort()
      await busy
    }
    assert.equal(scene.ended.size, BATCH)
    await Promise.all(records.map(({ key }) => find(scene, key)))
  }
  return counts
}

interface Ending {
  readonly kind: 'end' | 'replace' | 'endByUser'
  readonly records: readonly SessionRecord[]
}

function endingsOf(records: readonly SessionRecord[]): readonly Ending[] {
  const byUser = Object.values(Object.groupBy(records, ({ userId }) => userId ?? '')) as SessionRecord[][] // each has some
  return byUser.flatMap((ofUser, i): readonly Ending[] => {
    if (i % 3 === 0) return [{ kind: 'endByUser', records: ofUser }]
    return ofUser.map((record) => ({ kind: i % 3 === 1 ? 'end' : 'replace', records: [record] }))
  })
}

async function end(scene: Scene, { kind, records }: Ending): Promise<void> {
  const { ender, reader, now, ended, counts } = scene
  const [first] = records
  assert.ok(first)
  await delay(randomInt(WITHIN_MS))
  for (const { key } of records) {
    const before = reader.find(key, now)
    if (isPromise(before)) before.catch(() => {})
    else if (before?.live) counts.endedWhileKept += 1
  }
  if (kind === 'end') assert.equal(await ender.end(first.key, 'revoked', now), 1)
  else if (kind === 'endByUser') assert.equal(await ender.endByUser(first.userId ?? '', 'revoked', now), records.length)
  else {
    const next = sampleSession(now, { key: successorKey(first.key), userId: null })
    assert.equal(await ender.replace(first.key, next, {}, now), 'replaced')
  }
  for (const { key } of records) ended.add(key)
  await Promise.all(records.map(({ key }) => find(scene, key)))
}

async function findAllTheTime(scene: Scene, signal: AbortSignal): Promise<void> {
  const { records, counts } = scene
  const finds = new Set<Promise<void>>()
  while (!signal.aborted) {
    for (let i = 0; i < FINDS_AT_ONCE && counts.waiting < MOST_WAITING; i += 1) {
      const finding = find(scene, records[randomInt(BATCH)]?.key ?? '').finally(() => finds.delete(finding))
      finds.add(finding)
    }
    await delay(1)
  }
  await Promise.all(finds)
}

async function find({ reader, now, ended, counts }: Scene, key: string): Promise<void> {
  const mustBeOver = ended.has(key)
  counts.waiting += 1
  try {
    const found = await reader.find(key, now)
    if (mustBeOver && found?.live) counts.passed += 1
  } catch {
    counts.failed += 1 // a request that could not be answered does not pass either
  } finally {
    counts.waiting -= 1
  }
}
