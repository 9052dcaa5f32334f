import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { temporaryFolder } from '../../support/stores.ts'

test('without the package pg a PostgreSQL store says how to install it, and not the URL', async (t) => {
  const folder = temporaryFolder(t)
  // A place from which no node_modules can be seen.
  cpSync('server', join(folder, 'server'), { recursive: true })
  const open = pathToFileURL(join(folder, 'server/stores/open.ts')).href
  const script = `
    const { openStore } = await import('${open}')
    await openStore('postgres://app:hunter2@db/app').catch((error) => console.log(error.name, error.message))`
  const args = ['--input-type=module', '--eval', script]
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder })
  assert.match(stdout, /^ConfigError .*npm install pg@8\.23\.1$/ms)
  assert.doesNotMatch(stdout, /hunter2/)
})
