// Places for the store contract: each can be opened several times and shows its bytes.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createMemoryData, type MemoryData } from '../../server/stores/memory-data.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import type { StorePlace } from '../../server/testing.ts'
import type { Store } from '../../server/sessions/store.ts'

/** Memory stores on the same data, each made by `connect`. */
export function memoryPlace(connect: (data: MemoryData) => Store = createMemoryStore): StorePlace {
  const data = createMemoryData()
  return {
    connect: () => connect(data),
    dump: () => {
      const rows = [...data.rows.values()].map(({ record, ended }) => [
        Buffer.from(JSON.stringify({ ...record, fields: [...record.fields.keys()], ended })),
        ...record.fields.values(),
      ])
      return Buffer.concat(rows.flat())
    },
  }
}

/** SQLite stores on one file in a folder of its own, each made by `connect`; `count` is how many there were before. */
export function sqlitePlace(
  connect: (path: string, count: number) => Store = (path) => createSqliteStore({ path }),
): StorePlace {
  const folder = mkdtempSync(join(tmpdir(), 'pocketbase-session-'))
  const path = join(folder, 'sessions.db')
  let count = 0
  return {
    connect: () => {
      count += 1
      return connect(path, count - 1)
    },
    dump: () => {
      emptyLog(path)
      return Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))))
    },
    dispose: () => rmSync(folder, { recursive: true }),
  }
}

/** The write-ahead log keeps older pages until it is written over: docs/stores.md says so. */
function emptyLog(path: string): void {
  const db = new DatabaseSync(path)
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}
