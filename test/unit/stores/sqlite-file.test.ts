// The file: whose it is, who may read it, and what is said where it cannot be used.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { createSqliteStore } from '../../../server/stores/sqlite.ts'
import { createClock, sampleSession } from '../../../server/testing.ts'
import { temporaryFolder } from '../../support/stores.ts'

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)

const assertRefused = (path: string, message: RegExp) =>
  assert.rejects(async () => createSqliteStore({ path }).open(), { name: 'ConfigError', message })

test('makes the file for its owner alone, in a folder for its owner alone', async (t) => {
  const folder = `${temporaryFolder(t)}/a/b`
  const store = createSqliteStore({ path: `${folder}/sessions.db` })
  await store.open()
  await store.create(sampleSession(createClock().now()))
  assert.equal(modeOf(folder), '700')
  for (const suffix of ['', '-wal', '-shm']) assert.equal(modeOf(`${folder}/sessions.db${suffix}`), '600')
  await store.close()
})

test('closes a file of ours that others could read', async (t) => {
  const path = `${temporaryFolder(t)}/sessions.db`
  writeFileSync(path, '', { mode: 0o644 })
  chmodSync(path, 0o664)
  const store = createSqliteStore({ path })
  await store.open()
  assert.equal(modeOf(path), '600')
  await store.close()
})

test('refuses the database of something else, and leaves it as it was', async (t) => {
  const path = `${temporaryFolder(t)}/theirs.db`
  const db = new DatabaseSync(path)
  db.exec('CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)')
  db.close()
  chmodSync(path, 0o644)
  const before = readFileSync(path)
  await assertRefused(path, /theirs\.db is the database of something else/)
  assert.deepEqual(readFileSync(path), before)
  assert.equal(modeOf(path), '644')
})

test('refuses a file that is no database, and leaves it as it was', async (t) => {
  const path = `${temporaryFolder(t)}/notes.txt`
  writeFileSync(path, 'Dear diary, '.repeat(500))
  await assertRefused(path, /notes\.txt is not a SQLite database/)
  assert.equal(readFileSync(path, 'utf8'), 'Dear diary, '.repeat(500))
})

test('refuses a damaged database and says what to do', async (t) => {
  const path = `${temporaryFolder(t)}/sessions.db`
  const store = createSqliteStore({ path })
  await store.open()
  await store.close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xff, 100, 4096))
  await assertRefused(path, /sessions\.db is damaged\. Move it away/)
})

test('refuses a database of a newer release', async (t) => {
  const path = `${temporaryFolder(t)}/sessions.db`
  const store = createSqliteStore({ path })
  await store.open()
  await store.close()
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 99')
  db.close()
  await assertRefused(path, /schema version 99.*newer release/)
})

test('refuses a path that cannot be a file', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(`${folder}/sessions.db`)
  writeFileSync(`${folder}/plain`, '')
  await assertRefused(`${folder}/sessions.db`, /cannot be opened for writing \(EISDIR\)/)
  await assertRefused(`${folder}/plain/sessions.db`, /cannot be opened for writing \(ENOTDIR|EEXIST\)/)
})

test('a row whose blob is damaged is an error, never a session and never "not found"', async (t) => {
  const path = `${temporaryFolder(t)}/sessions.db`
  const store = createSqliteStore({ path })
  await store.open()
  t.after(() => store.close())
  const now = createClock().now()
  const record = sampleSession(now)
  await store.create(record)
  const db = new DatabaseSync(path)
  for (const blob of ["x''", "x'07'", "x'010500'", "x'01ffff41'", 'NULL', 'substr(fields, 1, 100)']) {
    db.exec(`UPDATE sessions SET fields = ${blob}`)
    await assert.rejects(async () => store.find(record.key, now), `fields = ${blob}`)
    await assert.rejects(async () => store.update(record.key, {}, now), `fields = ${blob}`)
  }
  db.close()
  assert.equal(await store.end(record.key, 'damaged', now), 1)
})

test('by-user and expiry questions are answered by an index', async (t) => {
  const path = `${temporaryFolder(t)}/sessions.db`
  const store = createSqliteStore({ path })
  await store.open()
  await store.close()
  const db = new DatabaseSync(path)
  t.after(() => db.close())
  const live = 'end_reason IS NULL AND idle_expires_at > 1 AND expires_at > 1'
  const questions: readonly (readonly [string, string])[] = [
    [`SELECT * FROM sessions WHERE user_id = ? AND ${live} ORDER BY created_at DESC`, 'sessions_of_user'],
    [`UPDATE sessions SET fields = NULL WHERE user_id = ? AND key IS NOT ? AND ${live}`, 'sessions_of_user'],
    ['SELECT rowid FROM sessions WHERE expires_at <= ? LIMIT 5', 'sessions_by_expiry'],
  ]
  for (const [sql, index] of questions) {
    const plan = JSON.stringify(db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
    assert.match(plan, new RegExp(`USING (COVERING )?INDEX ${index}`))
    assert.doesNotMatch(plan, /SCAN|TEMP B-TREE/)
  }
})
