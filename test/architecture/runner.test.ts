// What `npm test` promises about its own reports: skipped tests by name, every failure once, nothing left running.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { runCommand } from '../../scripts/command.ts'
import { endLeftovers, RUN_MARKER } from '../../scripts/leftovers.ts'
import { testNames } from '../../scripts/test-kinds.ts'
import type { TestReport } from '../../scripts/test-reporter.ts'

const SAMPLE = `
import { describe, it, test } from 'node:test'
describe('outer', () => {
  it('passes', () => {})
  it('waits for Redis', { skip: 'no Redis' }, () => {})
  it('fails', () => { throw new Error('on purpose') })
})
test('is to be written', { todo: true }, () => {})
`

describe('npm test', () => {
  let folder: string
  let sample: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pbs-runner-'))
    sample = join(folder, 'sample.test.mjs')
    await writeFile(sample, SAMPLE)
  })

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('names what was skipped and what failed, each once', async () => {
    const reporter = [
      '--test-reporter=./scripts/test-reporter.ts',
      `--test-reporter-destination=${join(folder, 'report')}`,
    ]
    const env: NodeJS.ProcessEnv = { ...process.env }
    delete env['NODE_TEST_CONTEXT'] // else it takes itself for a part of this run
    await runCommand(process.execPath, ['--test', ...reporter, sample], { env })
    const report = JSON.parse(await readFile(join(folder, 'report'), 'utf8')) as TestReport
    const name = relative(process.cwd(), sample)
    assert.deepEqual(report, {
      passed: 1,
      failed: 1,
      skipped: [
        { name: `${name} › outer › waits for Redis`, why: 'no Redis' },
        { name: `${name} › is to be written`, why: '' },
      ],
      failures: [`${name} › outer › fails`],
    })
  })

  it('knows the names of tests that cannot be run', async () => {
    assert.deepEqual(await testNames(sample), ['passes', 'waits for Redis', 'fails', 'is to be written'])
  })

  it(
    'finds and ends a process that has left its parent',
    { skip: process.platform !== 'linux' && 'needs /proc' },
    async () => {
      const run = randomUUID()
      const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
        detached: true,
        stdio: 'ignore',
        env: { ...process.env, [RUN_MARKER]: run },
      })
      const closed = once(child, 'close')
      const found = await endLeftovers(run, { graceMs: 0 })
      assert.deepEqual(
        found.map(({ pid }) => pid),
        [child.pid],
      )
      assert.deepEqual(await closed, [null, 'SIGKILL'])
    },
  )
})
