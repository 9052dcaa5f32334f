import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { main } from '../../../server/cli/main.ts'
import { isNodeNewEnough, WANTED_NODE } from '../../../server/cli/node-version.ts'
import { table } from '../../../server/cli/table.ts'

const cwd = mkdtempSync(join(tmpdir(), 'cli-'))
after(() => rmSync(cwd, { recursive: true, force: true }))

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const printed: string[] = []
  const errors: string[] = []
  const io = {
    cwd,
    env,
    print: (text: string) => void printed.push(text),
    error: (text: string) => void errors.push(text),
  }
  const code = await main(args, io)
  return { code, printed: printed.join('\n'), errors: errors.join('\n') }
}

describe('pocketbase-session', () => {
  it('lists its commands with help, --help, and without anything', async () => {
    for (const args of [['help'], ['--help'], ['users', '-h'], []]) {
      const { code, printed } = await run(args)
      assert.equal(code, 0)
      for (const name of ['serve', 'sessions', 'users', 'secret', 'doctor'])
        assert.match(printed, new RegExp(`^ +${name}`, 'm'))
    }
  })

  it('refuses a command that it does not know, and names help', async () => {
    for (const name of ['start', 'toString', '__proto__']) {
      const { code, errors } = await run([name])
      assert.equal(code, 1)
      assert.match(errors, /There is no command .* help/)
    }
  })

  it('refuses an option that it does not know', async () => {
    const { code, errors } = await run(['secret', '--length=3'])
    assert.equal(code, 1)
    assert.match(errors, /--length.*help/)
    assert.doesNotMatch(errors, /at .*node:/)
  })

  it('says how a command is written', async () => {
    for (const args of [['users'], ['users', 'set-role', 'ann@example.com'], ['sessions', 'end']]) {
      const { code, errors } = await run(args)
      assert.equal(code, 1)
      assert.match(errors, /^Write "/)
    }
  })

  it('says that no server is running', async () => {
    const { code, errors } = await run(['users', 'list'])
    assert.equal(code, 1)
    assert.match(errors, /No server is running on .*serve"/)
  })

  it('says which variables lead into a PocketBase of one’s own', async () => {
    const { code, errors } = await run(['users', 'list'], { POCKETBASE_URL: 'http://127.0.0.1:9' })
    assert.equal(code, 1)
    assert.match(errors, /POCKETBASE_SUPERUSER_EMAIL and POCKETBASE_SUPERUSER_PASSWORD/)
  })

  it('says that a memory store cannot be looked into', async () => {
    const { code, errors } = await run(['sessions', 'list'], { SESSION_STORE: 'memory:' })
    assert.equal(code, 1)
    assert.match(errors, /memory store/)
  })

  it('shows an empty store as such', async () => {
    assert.deepEqual(await run(['sessions', 'list']), { code: 0, printed: 'No live sessions.', errors: '' })
  })
})

describe('pocketbase-session secret', () => {
  it('prints a new secret each time, long enough for the server', async () => {
    const [one, two] = [await run(['secret']), await run(['secret'])]
    assert.match(one.printed, /^[\w-]{43}$/)
    assert.notEqual(one.printed, two.printed)
  })
})

describe('pocketbase-session doctor', () => {
  it('finds nothing wrong before the first start', async () => {
    const { code, printed } = await run(['doctor'])
    assert.equal(code, 0)
    assert.match(printed, /✓ Node [^]*✓ configuration[^]*✓ session store[^]*PocketBase: not running/)
  })

  it('names what is wrong, and ends with 1', async () => {
    const wrong = await run(['doctor'], { SESSION_IDLE_TIMEOUT: 'soon', PORT: 'none' })
    assert.equal(wrong.code, 1)
    assert.match(wrong.printed, /✗ PORT: [^]*✗ SESSION_IDLE_TIMEOUT: /)
    const away = await run(['doctor'], { POCKETBASE_URL: 'http://127.0.0.1:9' })
    assert.equal(away.code, 1)
    assert.match(away.printed, /✗ PocketBase at .* does not answer/)
  })

  it('names a store that cannot be opened', async () => {
    const { code, printed } = await run(['doctor'], { SESSION_STORE: `sqlite:${cwd}` })
    assert.equal(code, 1)
    assert.match(printed, /✗ session store \(sqlite\)/)
  })
})

describe('the Node that is needed', () => {
  it('is the one that engines names, or newer', () => {
    const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
    assert.match(manifest, new RegExp(`"node": ">=${WANTED_NODE}"`))
    assert.deepEqual(['20.19.0', '24.14.9', '24.15.0', '24.21.0', '26.0.0'].map(isNodeNewEnough), [
      false,
      false,
      true,
      true,
      true,
    ])
  })
})

describe('a table', () => {
  it('puts cells below each other, and lets no control character through', () => {
    assert.equal(
      table(
        ['A', 'B'],
        [
          ['longer', 'x'],
          ['\u001b[31m', 'y'],
        ],
      ),
      'A       B\nlonger  x\n?[31m   y',
    )
  })
})
