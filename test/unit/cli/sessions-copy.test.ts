import assert from 'node:assert/strict'
import { existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { main } from '../../../server/cli/main.ts'
import { createSqliteStore } from '../../../server/stores/sqlite.ts'
import { createClock, sampleSession } from '../../../server/testing.ts'
import { temporaryFolder } from '../../support/stores.ts'

const now = createClock().now()

function commandLine(t: TestContext) {
  const cwd = temporaryFolder(t)
  const run = async (...args: readonly string[]) => {
    const printed: string[] = []
    const errors: string[] = []
    const print = (text: string): void => void printed.push(text)
    const error = (text: string): void => void errors.push(text)
    const code = await main(['sessions', 'copy', ...args], { cwd, env: {}, print, error })
    return { code, printed, errors: errors.join('\n') }
  }
  const open = async (file: string) => {
    const store = createSqliteStore({ path: join(cwd, file) })
    await store.open()
    t.after(() => store.close())
    return store
  }
  return { cwd, run, open }
}

describe('pocketbase-session sessions copy', () => {
  it('copies from one file to another and says what to do next', async (t) => {
    const { run, open } = commandLine(t)
    const [source, ended] = [await open('a.db'), sampleSession(now)]
    for (const record of [sampleSession(now), ended]) await source.create(record)
    await source.end(ended.key, 'logout', now)
    const { code, printed } = await run('--from', 'sqlite:a.db', '--to', 'sqlite:new/b.db')
    assert.equal(code, 0)
    assert.equal(printed[0], 'Read 2 sessions, of which 1 ended; wrote 2.')
    assert.match(printed[1] ?? '', /stop them, run this once more/)
    assert.equal((await (await open('new/b.db')).find(ended.key, now))?.ended?.reason, 'logout')
    const again = await run('--from', 'sqlite:a.db', '--to', 'sqlite:new/b.db')
    assert.equal(again.printed[0], 'Read 2 sessions, of which 1 ended; wrote 0.')
  })

  it('says how far it is', async (t) => {
    const { run, open } = commandLine(t)
    const records = Array.from({ length: 20_050 }, () => sampleSession(now, { fields: new Map() }))
    const source = await open('a.db')
    await source.importEntries(
      records.map((record) => ({ kind: 'session', record, ended: null })),
      now,
    )
    const { printed } = await run('--from', 'sqlite:a.db', '--to', 'sqlite:b.db')
    const read = 'Read 20,050 sessions, of which 0 ended; wrote 20,050.'
    assert.deepEqual(printed.slice(0, 3), ['  10,000 sessions …', '  20,000 sessions …', read])
  })

  it('says how it is written', async (t) => {
    const { run } = commandLine(t)
    for (const args of [[], ['--from', 'sqlite:a.db'], ['--from', '', '--to', 'sqlite:b.db']]) {
      const { code, errors } = await run(...args)
      assert.equal(code, 1)
      assert.match(errors, /^Write ".*sessions copy --from URL --to URL"/)
    }
    assert.match((await run('--form', 'sqlite:a.db')).errors, /--form/)
  })

  it('refuses to copy a store onto itself, by whatever address', async (t) => {
    const { cwd, run, open } = commandLine(t)
    await open('a.db')
    symlinkSync(cwd, join(cwd, 'link'))
    for (const to of ['sqlite:a.db', 'sqlite:./x/../a.db', `sqlite://${cwd}/a.db`, 'sqlite:link/a.db']) {
      const { code, errors } = await run('--from', 'sqlite:a.db', '--to', to)
      assert.equal(code, 1, to)
      assert.match(errors, /are the same store/)
    }
  })

  it('makes no source that is not there', async (t) => {
    const { cwd, run } = commandLine(t)
    const { code, errors } = await run('--from', 'sqlite:typo.db', '--to', 'sqlite:b.db')
    assert.equal(code, 1)
    assert.match(errors, /^--from: there is no file .*typo\.db$/)
    assert.equal(existsSync(join(cwd, 'typo.db')), false)
  })

  it('says which of the two is wrong, without its password', async (t) => {
    const { run, open } = commandLine(t)
    await open('a.db')
    const cases = [
      [['--from', 'sqlite:a.db', '--to', 'memory:'], /^--to: the memory store/],
      [['--from', 'memory:', '--to', 'sqlite:a.db'], /^--from: the memory store/],
      [['--from', 'sqlite:a.db', '--to', 'mysql://ann:hunter2@host'], /^--to: mysql: is not a known store URL/],
      [['--from', 'sqlite:', '--to', 'sqlite:a.db'], /^--from: a sqlite: URL is followed by a path/],
      [
        ['--from', 'sqlite:a.db', '--to', 'redis://ann:hunter2@127.0.0.1:9'],
        /^--to: redis: the server cannot be reached/,
      ],
    ] as const
    for (const [args, expected] of cases) {
      const { code, errors } = await run(...args)
      assert.equal(code, 1)
      assert.match(errors, expected)
      assert.doesNotMatch(errors, /hunter2|at .*node:/)
    }
  })
})
