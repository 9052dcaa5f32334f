// The stores that every session test runs on: one that answers at once, a real file, and one that answers late.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Store } from '../../server/sessions/store.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import { createFaultyStore } from './faulty-store.ts'

export interface SessionStore {
  readonly name: string
  /** A new, empty, opened store; it goes with the test. */
  open(t: TestContext): Promise<Store>
}

export const sessionStores: readonly SessionStore[] = [
  { name: 'memory', open: async () => createMemoryStore() },
  { name: 'sqlite', open: openTemporarySqlite },
  { name: 'memory behind promises', open: async () => createFaultyStore() },
]

/** A folder that is deleted after the test. */
export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pocketbase-session-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function openTemporarySqlite(t: TestContext): Promise<Store> {
  const store = createSqliteStore({ path: join(temporaryFolder(t), 'sessions.db') })
  await store.open()
  t.after(() => store.close())
  return store
}
