// Where the executable comes from. Small scripts stand in for PocketBase: only `--version` is asked here.

import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { ConfigError } from '../../../../server/errors.ts'
import { findBinary } from '../../../../server/pocketbase/launcher/find-binary.ts'
import type { FindBinaryOptions } from '../../../../server/pocketbase/launcher/find-binary.ts'
import { isFittingVersion } from '../../../../server/pocketbase/launcher/binary-version.ts'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
/** Nothing answers there: the port belongs to no service. */
const NOWHERE = { baseUrl: 'http://127.0.0.1:1' }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'find-binary-'))
})
afterEach(() => rm(folder, { recursive: true }))

function program(path: string, version: string): string {
  const file = join(folder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `#!/bin/sh\necho "pocketbase version ${version}"\n`)
  chmodSync(file, 0o755)
  return file
}

function find(options: Partial<FindBinaryOptions>): ReturnType<typeof findBinary> {
  // No `go` and no `python3` on this PATH.
  const env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') }
  return findBinary({ env, logger, release: NOWHERE, ...options })
}

test('takes POCKETBASE_BIN and nothing else, and says what is wrong with it', async () => {
  program('bin/pocketbase', '0.40.4')
  const bin = program('mine', '0.39.11')
  assert.deepEqual(await find({ bin }), { path: bin, version: '0.39.11', source: 'POCKETBASE_BIN' })
  await assert.rejects(find({ bin: join(folder, 'missing') }), (error: unknown) => {
    return error instanceof ConfigError && /POCKETBASE_BIN: .*ENOENT/.test(error.message)
  })
  await assert.rejects(find({ bin: program('old', '0.22.1') }), /0\.22\.1, not 0\.39\.0 or later/)
})

test('takes a build without a number as POCKETBASE_BIN, not from PATH', async () => {
  const bin = program('bin/pocketbase', '(untracked)')
  assert.equal((await find({ bin })).version, null)
  await assert.rejects(find({}), /PATH: .*a build without a number/)
})

test('prefers PATH to the cache, and the cache to the network', async () => {
  const cached = program('cache/pocketbase-session/release-0.40.4/pocketbase', '0.40.4')
  assert.deepEqual(await find({}), { path: cached, version: '0.40.4', source: 'official release' })
  const onPath = program('bin/pocketbase', '0.40.6')
  assert.deepEqual(await find({}), { path: onPath, version: '0.40.6', source: 'PATH' })
})

test('passes over a version on PATH that does not fit', async () => {
  program('bin/pocketbase', '0.41.0')
  const cached = program('cache/pocketbase-session/release-0.40.4/pocketbase', '0.40.4')
  assert.equal((await find({})).path, cached)
})

test('lists every step and why it failed', async () => {
  await assert.rejects(find({}), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    for (const step of [/PATH: no pocketbase there/, /cache \(release\): no /, /cache \(go\): no /]) {
      assert.match(error.message, step)
    }
    assert.match(error.message, /official release: .*127\.0\.0\.1:1.* cannot be downloaded/)
    assert.match(error.message, /build with Go: the go command is not on PATH/)
    assert.match(error.message, /POCKETBASE_URL/)
    return true
  })
})

test('asks only the source that POCKETBASE_SOURCE names', async () => {
  program('bin/pocketbase', '0.40.4')
  await assert.rejects(find({ source: 'pypi' }), (error: unknown) => {
    return (
      error instanceof ConfigError && /pypi/i.test(error.message) && !/PATH|release|Go/.test(error.problems[0] ?? '')
    )
  })
  const cached = program('cache/pocketbase-session/pypi-0.40.6/pocketbase', '0.40.6')
  assert.equal((await find({ source: 'pypi' })).path, cached)
})

test('knows which versions fit', () => {
  for (const version of ['0.39.0', '0.40.4', '0.40.6']) assert.equal(isFittingVersion(version), true, version)
  for (const version of ['0.38.9', '0.4.0', '0.41.0', '1.0.0', '0.390.1']) {
    assert.equal(isFittingVersion(version), false, version)
  }
})
