// A server that would be open to the world does not start: it says everything that is wrong, once, and shows no secret.

import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { runCli, type Ended } from '../support/server-process.ts'

type Environment = Readonly<Record<string, string>>

const GOOD_SECRET = 'Kq7vXz2Nf9Lr4Tb8Wd3Hs6Jg1Mc5Pw0Ye-canary'
/** A configuration without fault, but for the port: nobody has that one, so that a server would end there at the latest. */
const GOOD: Environment = {
  NODE_ENV: 'production',
  ORIGIN: 'https://app.example.test',
  TRUST_PROXY: '1',
  SESSION_SECRET: GOOD_SECRET,
  POCKETBASE_URL: 'http://127.0.0.1:9',
  HOST: '192.0.2.1',
}

interface Fault {
  readonly what: string
  readonly env: Environment
  /** What the one problem in the list begins with. */
  readonly problem: RegExp
  /** Must not be printed. */
  readonly secret?: string
  readonly override?: string
}

const SHORT = 'short-canary'
const FAULTS: readonly Fault[] = [
  {
    what: 'a memory store',
    env: { SESSION_STORE: 'memory:' },
    problem: /^SESSION_STORE: .*memory/,
    override: 'UNSAFE_MEMORY_STORE',
  },
  {
    what: 'an http origin',
    env: { ORIGIN: 'http://app.example.test' },
    problem: /^ORIGIN: must be https/,
    override: 'UNSAFE_INSECURE_COOKIES',
  },
  {
    what: 'a loopback origin',
    env: { ORIGIN: 'http://localhost:3000' },
    problem: /^ORIGIN: must be the public https origin/,
    override: 'UNSAFE_INSECURE_COOKIES',
  },
  { what: 'no origin', env: { ORIGIN: '' }, problem: /^ORIGIN: (?:is required|must be)/ },
  {
    what: 'an origin that ends TLS nowhere',
    env: { TRUST_PROXY: '0' },
    problem: /^ORIGIN: is https but nothing ends TLS/,
  },
  {
    what: 'an origin that is a whole address',
    env: { ORIGIN: 'https://app.example.test/path' },
    problem: /^ORIGIN: must be an origin only/,
  },
  { what: 'an origin for everybody', env: { ORIGIN: '*' }, problem: /^ORIGIN: must be an origin only/ },
  { what: 'no secret', env: { SESSION_SECRET: '' }, problem: /^SESSION_SECRET: is required/ },
  {
    what: 'a short secret',
    env: { SESSION_SECRET: SHORT },
    problem: /^SESSION_SECRET: each secret needs at least 32/,
    secret: SHORT,
    override: 'UNSAFE_WEAK_SECRET',
  },
  {
    what: 'a secret of 31 bytes',
    env: { SESSION_SECRET: GOOD_SECRET.slice(0, 31) },
    problem: /^SESSION_SECRET: each secret needs/,
    secret: GOOD_SECRET.slice(0, 31),
    override: 'UNSAFE_WEAK_SECRET',
  },
  {
    what: 'a good secret beside a short one',
    env: { SESSION_SECRET: `${GOOD_SECRET},${SHORT}` },
    problem: /^SESSION_SECRET: each secret needs/,
    secret: SHORT,
  },
  {
    what: 'a secret that repeats itself',
    env: { SESSION_SECRET: 'ab'.repeat(20) },
    problem: /^SESSION_SECRET: a secret is a placeholder or repeats/,
    secret: 'abababab',
  },
  {
    what: 'a secret from a README',
    env: { SESSION_SECRET: 'changeme-changeme-changeme-changeme-1234' },
    problem: /^SESSION_SECRET: a secret is a placeholder/,
    secret: 'changeme-changeme',
  },
  {
    what: 'trust in every proxy',
    env: { TRUST_PROXY: 'all' },
    problem: /^TRUST_PROXY: .*number of proxies/,
    override: 'UNSAFE_TRUST_ALL_PROXIES',
  },
  { what: 'trust in every proxy, in another word', env: { TRUST_PROXY: 'true' }, problem: /^TRUST_PROXY: / },
  {
    what: 'a PocketBase over plain http elsewhere',
    env: { POCKETBASE_URL: 'http://pb.example.test:8090' },
    problem: /^POCKETBASE_URL: must be https/,
    override: 'UNSAFE_PLAIN_POCKETBASE',
  },
  {
    what: 'a PocketBase with a password in its address',
    env: { POCKETBASE_URL: 'https://root:pw-canary@pb.example.test' },
    problem: /^POCKETBASE_URL: .*without user, password/,
    secret: 'pw-canary',
  },
  {
    what: 'SameSite=None',
    env: { SESSION_COOKIE_SAME_SITE: 'none' },
    problem: /^SESSION_COOKIE_SAME_SITE: must be one of: lax, strict/,
  },
  { what: 'half a certificate', env: { TLS_CERT: '/dev/null' }, problem: /^TLS_CERT, TLS_KEY: one without the other/ },
  {
    what: 'a secret file that others may read',
    env: { SESSION_SECRET: '', SESSION_SECRET_FILE: 'readable' },
    problem: /^SESSION_SECRET_FILE: the file can be read by other users/,
    secret: GOOD_SECRET,
    override: 'UNSAFE_READABLE_FILES',
  },
  {
    what: 'a session file that others may read',
    env: { SESSION_STORE: 'sqlite:readable' },
    problem: /^SESSION_STORE: the file can be read by other users/,
    override: 'UNSAFE_READABLE_FILES',
  },
  {
    what: 'a secret in two places',
    env: { SESSION_SECRET_FILE: 'private' },
    problem: /^SESSION_SECRET: is set together with SESSION_SECRET_FILE/,
    secret: GOOD_SECRET,
  },
  {
    what: 'certificates that nobody checks',
    env: { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    problem: /^NODE_TLS_REJECT_UNAUTHORIZED: is 0/,
  },
  {
    what: 'an endless session',
    env: { SESSION_ABSOLUTE_TIMEOUT: '9999d' },
    problem: /^SESSION_ABSOLUTE_TIMEOUT: must not be longer/,
  },
]

let cwd: string

before(() => {
  cwd = mkdtempSync(join(tmpdir(), 'unsafe-'))
  for (const name of ['readable', 'private']) writeFileSync(join(cwd, name), GOOD_SECRET, { mode: 0o600 })
  chmodSync(join(cwd, 'readable'), 0o644)
})

after(() => rmSync(cwd, { recursive: true, force: true }))

const start = (env: Environment): Promise<Ended> => runCli(['serve'], { cwd, env: { ...GOOD, ...env } })

/** Items of the list that it printed. */
const problemsOf = ({ output }: Ended): readonly string[] =>
  [...output.matchAll(/^ {2}- (.*)$/gm)].map(([, problem = '']) => problem)

describe('in production the server does not start with', () => {
  // As many at a time as there are cores: each is a process.
  describe('one thing that is wrong:', { concurrency: 2 }, () => {
    for (const { what, env, problem, secret, override } of FAULTS) {
      it(what, async () => {
        const ended = await start(env)
        assert.equal(ended.code, 1, ended.output)
        const problems = problemsOf(ended)
        assert.equal(problems.length, 1, ended.output)
        assert.match(problems[0] ?? '', problem)
        if (override !== undefined) assert.match(problems[0] ?? '', new RegExp(`override: ${override}=true`))
        assert.ok(!ended.output.includes(secret ?? GOOD_SECRET), 'a secret was printed')
        assert.ok(!/\n\s+at /.test(ended.output), 'no stack')
      })
    }
  })

  it('everything that is wrong: it says all of it at once', async () => {
    const ended = await start({
      SESSION_STORE: 'memory:',
      ORIGIN: 'http://app.example.test',
      SESSION_SECRET: SHORT,
      TRUST_PROXY: 'all',
      POCKETBASE_URL: 'http://pb.example.test:8090',
      SESSION_COOKIE_SAME_SITE: 'none',
      TLS_KEY: 'readable',
      LOG_LEVEL: 'loud',
      SESSION_IDLE_TIMEOUT: '2',
    })
    assert.equal(ended.code, 1)
    const named = new Set(problemsOf(ended).map((problem) => problem.split(':')[0]))
    const wanted = [
      'SESSION_STORE',
      'ORIGIN',
      'SESSION_SECRET',
      'TRUST_PROXY',
      'POCKETBASE_URL',
      'SESSION_COOKIE_SAME_SITE',
      'TLS_CERT, TLS_KEY',
      'TLS_KEY',
      'LOG_LEVEL',
      'SESSION_IDLE_TIMEOUT',
    ]
    for (const name of wanted) assert.ok(named.has(name), `${name} is not in\n${ended.output}`)
    assert.ok(!ended.output.includes(SHORT))
  })
})

describe('a configuration without fault', () => {
  it('gets as far as listening', async () => {
    const ended = await start({})
    assert.deepEqual(problemsOf(ended), [])
    assert.match(ended.output, /HOST=192\.0\.2\.1 is not an address of this machine/)
  })

  it('with an override starts too', async () => {
    const ended = await start({ SESSION_STORE: 'memory:', UNSAFE_MEMORY_STORE: 'true' })
    assert.deepEqual(problemsOf(ended), [])
  })

  it('an override lifts its own check and no other', async () => {
    const ended = await start({ SESSION_STORE: 'memory:', SESSION_SECRET: SHORT, UNSAFE_MEMORY_STORE: 'true' })
    assert.deepEqual(
      problemsOf(ended).map((problem) => problem.split(':')[0]),
      ['SESSION_SECRET'],
    )
  })
})
