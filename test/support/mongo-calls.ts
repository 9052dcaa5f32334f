// Every kind of write of a Mongo store, as a table for tests of faults: what it sends, and how it is known to be done once.

import assert from 'node:assert/strict'
import type { SessionRecord } from '../../server/sessions/record.ts'
import type { Store } from '../../server/sessions/store.ts'
import { sampleSession } from '../../server/testing.ts'

export interface MongoWrite {
  readonly name: string
  /** The command that carries it, and a text that only this command has. */
  readonly command: 'insert' | 'update' | 'findAndModify'
  readonly marker: string
  /** Does it, and asserts the answer. */
  run(store: Store, row: SessionRecord): Promise<void>
  /** Asserts on another store that it was done, exactly once. */
  check(store: Store, row: SessionRecord): Promise<void>
}

export const HOUR = 3_600_000
export const now = Date.now()

/** What the writes make or end, by the row they are about. */
const nextOf = (row: SessionRecord): SessionRecord => sampleSession(now, { ...row, key: `${row.key.slice(0, -4)}next` })
const otherOf = (row: SessionRecord): SessionRecord =>
  sampleSession(now, { ...row, key: `${row.key.slice(0, -4)}more` })

export const MONGO_WRITES: readonly MongoWrite[] = [
  {
    name: 'create',
    command: 'insert',
    marker: 'insert',
    run: async (store, row) => store.create(otherOf(row)),
    check: async (store, row) => assert.ok((await store.find(otherOf(row).key, now))?.live),
  },
  {
    name: 'update',
    command: 'findAndModify',
    marker: 'findAndModify',
    run: async (store, row) => assert.equal(await store.update(row.key, { ifVersion: 1 }, now), 2),
    check: async (store, row) => assert.equal((await store.find(row.key, now))?.live?.version, 2),
  },
  {
    name: 'replace',
    command: 'update',
    marker: 'rotated',
    run: async (store, row) => assert.equal(await store.replace(row.key, nextOf(row), {}, now), 'replaced'),
    check: async (store, row) => {
      assert.equal((await store.find(row.key, now))?.ended?.reason, 'rotated')
      assert.ok((await store.find(nextOf(row).key, now))?.live)
    },
  },
  {
    name: 'end',
    command: 'update',
    marker: 'logout',
    run: async (store, row) => assert.equal(await store.end(row.key, 'logout', now), 1),
    check: async (store, row) => assert.equal((await store.find(row.key, now))?.ended?.reason, 'logout'),
  },
  {
    name: 'endByUser',
    command: 'update',
    marker: 'password_changed',
    run: async (store, row) => assert.equal(await store.endByUser(row.userId ?? '', 'password_changed', now), 1),
    check: async (store, row) => {
      assert.equal((await store.find(row.key, now))?.ended?.reason, 'password_changed')
      assert.ok((await store.epoch(row.userId ?? '')) > 0)
    },
  },
  {
    name: 'touch',
    command: 'update',
    marker: '$max',
    run: async (store, { key }) => store.touch([{ key, lastSeenAt: now + 1, idleExpiresAt: now + 3 * HOUR }], now),
    check: async (store, row) => assert.equal((await store.find(row.key, now))?.live?.idleExpiresAt, now + 3 * HOUR),
  },
  {
    name: 'claim',
    command: 'insert',
    marker: 'insert',
    run: async (store, row) => assert.equal(await store.claim(row.handle, now + HOUR, now), true),
    check: async (store, row) => assert.equal(await store.claim(row.handle, now + HOUR, now), false),
  },
]

/** A live row of a user of its own. */
export function newRow(): SessionRecord {
  const row = sampleSession(now)
  return { ...row, userId: `user${row.handle.slice(0, 11)}` }
}
