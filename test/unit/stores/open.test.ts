import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { openStore } from '../../../server/stores/open.ts'
import { temporaryFolder } from '../../support/stores.ts'

test('memory: is a store in memory', async () => {
  const store = await openStore('memory:')
  assert.equal(store.name, 'memory')
})

test('sqlite: is followed by a path, as it is or in the form of a file URL', async (t) => {
  const folder = temporaryFolder(t)
  for (const url of [`sqlite:${folder}/a.db`, `sqlite://${folder}/b.db`]) {
    const store = await openStore(url, { timeoutMs: 100 })
    assert.equal(store.name, 'sqlite')
    await store.open()
    await store.close()
  }
  assert.ok(existsSync(`${folder}/a.db`) && existsSync(`${folder}/b.db`))
})

test('a URL that names no store is refused with those that do, and shows no password', async () => {
  for (const url of ['mysql://root:hunter2@db/x', 'hunter2', '', 'constructor:', 'toString:hunter2']) {
    await assert.rejects(openStore(url), (error: Error) => {
      assert.equal(error.name, 'ConfigError')
      assert.match(error.message, /sqlite:data\/sessions\.db/)
      assert.doesNotMatch(error.message, /hunter2/)
      return true
    })
  }
})

test('a sqlite: URL without a path, with a host or with parameters is refused', async () => {
  for (const url of ['sqlite:', 'sqlite://host/x.db', 'sqlite:x.db?mode=ro', 'sqlite::memory:']) {
    await assert.rejects(openStore(url), { name: 'ConfigError' })
  }
})
