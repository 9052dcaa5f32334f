// Rows that a process keeps of a SQLite file, while another process ends their sessions.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import { raceEndings } from '../support/ending-race.ts'
import { startStoreProcess } from '../support/store-process.ts'
import { temporaryFolder } from '../support/stores.ts'

test('no session is found after its ending was answered to another process', async (t) => {
  const path = `${temporaryFolder(t)}/sessions.db`
  const process = await startStoreProcess()
  t.after(() => process.kill())
  const reader = createSqliteStore({ path, timeoutMs: 10_000 })
  await reader.open()
  t.after(() => reader.close())
  const ender = process.store(path)
  await ender.open()
  const report = await raceEndings({ reader, ender, endings: 10_000 })
  t.diagnostic(JSON.stringify(report))
  assert.equal(report.passed, 0)
  assert.deepEqual([report.failed, report.endedWhileKept], [0, 10_000], 'not all were live until then')
})
