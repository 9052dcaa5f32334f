// What `find` says, as short assertions.

import assert from 'node:assert/strict'
import type { EndReason } from '../sessions/reasons.ts'
import type { EndedSession, SessionRecord } from '../sessions/record.ts'
import type { Store } from '../sessions/store.ts'

export async function assertLive(store: Store, key: string, now: number, message?: string): Promise<SessionRecord> {
  const found = await store.find(key, now)
  assert.ok(found?.live, message ?? `a live session was expected, found ${JSON.stringify(found?.ended)}`)
  return found.live
}

export async function assertEnded(store: Store, key: string, now: number, reason: EndReason): Promise<EndedSession> {
  const found = await store.find(key, now)
  assert.ok(found !== undefined, 'an ended session was expected, found nothing')
  assert.equal(found.live, undefined, 'a session that must be ended is live')
  assert.ok(found.ended)
  assert.equal(found.ended.reason, reason)
  return found.ended
}

export async function assertNone(store: Store, key: string, now: number, message?: string): Promise<void> {
  assert.equal(await store.find(key, now), undefined, message)
}

/** Two records with the same columns and, byte for byte, the same fields. */
export function assertSameRecord(actual: SessionRecord, expected: SessionRecord): void {
  assert.deepEqual(plain(actual), plain(expected))
}

/** For comparing: a Buffer and a Uint8Array of the same bytes are the same field. */
function plain(record: SessionRecord): object {
  const fields = [...record.fields].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`)
  return { ...record, amr: [...record.amr], fields: new Set(fields) }
}
