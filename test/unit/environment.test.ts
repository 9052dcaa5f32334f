import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { loadEnvironment } from '../../server/environment.ts'
import { VARIABLES, variablesTable } from '../../server/environment-variables.ts'
import { ConfigError } from '../../server/errors.ts'
import { resolveConfig } from '../../server/config.ts'

const SECRET = 'Zq3v8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPsAu'
const PRODUCTION = {
  NODE_ENV: 'production',
  ORIGIN: 'https://app.example.test',
  SESSION_SECRET: SECRET,
  TRUST_PROXY: '1',
}
const cwd = mkdtempSync(join(tmpdir(), 'environment-'))
after(() => rmSync(cwd, { recursive: true }))

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadEnvironment(env, cwd)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

function configOf(env: Record<string, string>) {
  const options = loadEnvironment(env, cwd).authOptions({ port: 3000, pocketbaseUrl: 'http://127.0.0.1:8090' })
  return resolveConfig(options, { production: false })
}

describe('loadEnvironment', () => {
  it('starts in development with nothing set', () => {
    const settings = loadEnvironment({}, cwd)
    assert.deepEqual([settings.port, settings.host, settings.pocketbaseUrl], [3000, '127.0.0.1', null])
    const options = settings.authOptions({ port: 4321, pocketbaseUrl: 'http://127.0.0.1:1' })
    assert.equal(options.origin, 'http://localhost:4321')
    assert.equal(options.store, `sqlite:${join(cwd, 'data', 'sessions.db')}`)
  })

  it('makes the development secret once, readable by its owner only', () => {
    const first = configOf({}).secrets
    assert.deepEqual(configOf({}).secrets, first)
    assert.ok(Buffer.byteLength(first[0] ?? '') >= 32)
    assert.equal(statSync(join(cwd, 'data', 'secret')).mode & 0o777, 0o600)
  })

  it('reads durations, lists, numbers and flags', () => {
    const config = configOf({
      SESSION_IDLE_TIMEOUT: '30m',
      SESSION_ABSOLUTE_TIMEOUT: '12h',
      SESSION_REMEMBER_IDLE_TIMEOUT: '7d',
      SESSION_MAX_PER_USER: '3',
      PROFILE_FIELDS: 'nick, about',
      UNSAFE_MEMORY_STORE: 'true',
      SESSION_SECRET: `${SECRET},${SECRET}x`,
    })
    assert.equal(config.session.idleTimeoutMs, 1_800_000)
    assert.equal(config.session.rememberIdleTimeoutMs, 604_800_000)
    assert.equal(config.session.maxPerUser, 3)
    assert.deepEqual(config.profile, { collection: 'profiles', fields: ['nick', 'about'] })
    assert.equal(config.unsafe.memoryStoreInProduction, true)
    assert.deepEqual(config.secrets, [SECRET, `${SECRET}x`])
  })

  it('takes PROFILE_COLLECTION=none as no profiles', () => {
    assert.equal(configOf({ PROFILE_COLLECTION: 'none' }).profile, false)
  })

  it('takes an empty variable as an unset one', () => {
    assert.deepEqual(problemsOf({ PORT: '', SESSION_STORE: '', SESSION_SECRET: '' }), [])
  })

  it('reads secrets from files', () => {
    const file = join(cwd, 'the-secret')
    writeFileSync(file, `${SECRET}\n`, { mode: 0o600 })
    assert.deepEqual(configOf({ SESSION_SECRET_FILE: 'the-secret' }).secrets, [SECRET])
    assert.match(problemsOf({ SESSION_SECRET_FILE: 'nowhere' }).join(), /^SESSION_SECRET_FILE: cannot be read/)
    assert.match(problemsOf({ SESSION_SECRET_FILE: file, SESSION_SECRET: SECRET }).join(), /keep one/)
  })

  it('names all wrong variables at once, and none of their values', () => {
    const problems = problemsOf({
      PORT: 'eighty-hunter2',
      SESSION_IDLE_TIMEOUT: '30',
      SESSION_STORE: 'hunter2://x',
      LOG_LEVEL: 'hunter2',
      SMTP_URL: 'hunter2',
      MAIL_FROM: 'hunter2',
      TRUST_PROXY: 'hunter2',
      REGISTRATION: 'hunter2',
      UNSAFE_WEAK_SECRET: 'hunter2',
      TLS_CERT: '/nowhere/hunter2',
    })
    for (const name of [
      'PORT',
      'SESSION_IDLE_TIMEOUT',
      'LOG_LEVEL',
      'SMTP_URL',
      'MAIL_FROM',
      'TRUST_PROXY',
      'REGISTRATION',
    ]) {
      assert.ok(
        problems.some((problem) => problem.startsWith(`${name}:`)),
        `${name} is missing in\n${problems.join('\n')}`,
      )
    }
    assert.doesNotMatch(problems.join(), /hunter2/)
  })
})

describe('the environment in production', () => {
  it('starts with an https origin, a secret and what ends TLS', () => {
    assert.deepEqual(problemsOf(PRODUCTION), [])
  })

  it('refuses with one list of everything that is missing', () => {
    const problems = problemsOf({ NODE_ENV: 'production', SESSION_STORE: 'memory:', TRUST_PROXY: 'all' })
    const names = problems.map((problem) => problem.split(':')[0])
    for (const name of ['ORIGIN', 'SESSION_SECRET', 'SESSION_STORE', 'TRUST_PROXY']) {
      assert.ok(names.includes(name), `${name} is missing in\n${problems.join('\n')}`)
    }
  })

  it('names the variable of each override', () => {
    const { TRUST_PROXY: _, ...rest } = PRODUCTION
    assert.match(problemsOf({ ...PRODUCTION, SESSION_STORE: 'memory:' }).join(), /UNSAFE_MEMORY_STORE=true/)
    assert.deepEqual(problemsOf({ ...PRODUCTION, SESSION_STORE: 'memory:', UNSAFE_MEMORY_STORE: 'true' }), [])
    assert.match(problemsOf(rest).join(), /TLS_CERT and TLS_KEY, or TRUST_PROXY/)
  })

  it('refuses a secret file that others may read', () => {
    const file = join(cwd, 'open-secret')
    writeFileSync(file, SECRET)
    chmodSync(file, 0o644)
    const { SESSION_SECRET: _, ...rest } = PRODUCTION
    assert.match(problemsOf({ ...rest, SESSION_SECRET_FILE: 'open-secret' }).join(), /chmod 600/)
    chmodSync(file, 0o600)
    assert.deepEqual(problemsOf({ ...rest, SESSION_SECRET_FILE: 'open-secret' }), [])
  })
})

describe('docs/configuration.md', () => {
  it('has the table of variables as the code has it', () => {
    const text = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
    // The formatter pads the columns.
    const rows = (table: string) => table.split('\n').map((line) => line.replaceAll(/ +/g, ' '))
    const documented = rows(text).filter((line) => /^\| `[A-Z_]+`/.test(line))
    assert.deepEqual(documented, rows(variablesTable()).slice(2))
  })

  it('names each variable once', () => {
    assert.equal(new Set(VARIABLES.map(({ name }) => name)).size, VARIABLES.length)
  })
})
