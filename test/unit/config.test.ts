import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { resolveConfig } from '../../server/config.ts'
import { ConfigError } from '../../server/errors.ts'
import type { AuthOptions } from '../../server/config.ts'

const SECRET = 'Zq3v8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPsAu'
const GOOD: AuthOptions = { pocketbase: 'http://127.0.0.1:8090', origin: 'https://app.example.test', secret: SECRET }

/** The problems of options that a caller without types may write. */
function problemsOf(options: object, production = false): readonly string[] {
  try {
    resolveConfig({ ...GOOD, ...options }, { production })
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  return []
}

describe('resolveConfig', () => {
  it('fills in the defaults and freezes the result', () => {
    const config = resolveConfig(GOOD, { production: true })
    assert.equal(config.session.idleTimeoutMs, 7_200_000)
    assert.equal(config.session.absoluteTimeoutMs, 86_400_000)
    assert.equal(config.session.touchIntervalMs, 60_000)
    assert.equal(config.store, 'sqlite:data/sessions.db')
    assert.equal(config.pocketbase.collection, 'users')
    assert.deepEqual(config.profile, { collection: 'profiles', fields: ['displayName', 'bio'] })
    assert.equal(config.production, true)
    assert.ok(Object.isFrozen(config) && Object.isFrozen(config.session) && Object.isFrozen(config.cookie))
  })

  it('keeps the list of secrets, newest first', () => {
    const older = [...SECRET].toReversed().join('')
    assert.deepEqual(resolveConfig({ ...GOOD, secret: [SECRET, older] }).secrets, [SECRET, older])
  })

  it('touches at least ten times within a short idle timeout', () => {
    const config = resolveConfig({ ...GOOD, session: { idleTimeoutMs: 100_000 } })
    assert.equal(config.session.touchIntervalMs, 10_000)
  })

  it('reads one role, several or none of a user', () => {
    const user = { id: 'u', collectionId: 'c', collectionName: 'users' }
    assert.deepEqual(resolveConfig(GOOD).roles({ ...user, role: 'admin' }), ['admin'])
    assert.deepEqual(resolveConfig(GOOD).roles(user), [])
    assert.deepEqual(resolveConfig({ ...GOOD, roles: () => ['a', 'b'] }).roles(user), ['a', 'b'])
  })

  it('names everything that is wrong at once', () => {
    const problems = problemsOf({
      pocketbase: 'ftp://x',
      origin: 'https://app.example.test/path',
      session: { idleTimeoutMs: '30m', idelTimeoutMs: 1 },
      paths: { login: '//evil.test' },
      csrf: false,
    })
    assert.deepEqual(
      problems.map((problem) => problem.split(':')[0] ?? '').toSorted((a, b) => a.localeCompare(b)),
      ['csrf', 'origin', 'paths.login', 'pocketbase.url', 'session.idelTimeoutMs', 'session.idleTimeoutMs'],
    )
  })

  it('never prints a value', () => {
    const text = problemsOf({ secret: 'hunter2', pocketbase: 'http://root:hunter2@127.0.0.1', store: 'hunter2://x' })
    assert.doesNotMatch(text.join('\n'), /hunter2/)
  })

  it('refuses what is not an object of options', () => {
    // A JavaScript caller may pass anything.
    assert.throws(() => resolveConfig(undefined as unknown as AuthOptions), ConfigError)
  })

  it('refuses timeouts that contradict each other', () => {
    assert.match(problemsOf({ session: { idleTimeoutMs: 2, absoluteTimeoutMs: 1 } }).join(), /absolute timeout/)
    assert.match(problemsOf({ session: { idleTimeoutMs: 5000, touchIntervalMs: 5000 } }).join(), /idle timeout/)
    assert.match(problemsOf({ revalidate: { intervalMs: 2000, maxStaleMs: 1000 } }).join(), /interval/)
  })
})

describe('the cookie', () => {
  it('is host-bound and Secure on https', () => {
    assert.deepEqual(resolveConfig(GOOD).cookie, {
      name: '__Host-Http-session',
      preName: '__Host-Http-pre',
      linkName: '__Host-Http-link',
      secure: true,
      sameSite: 'lax',
    })
  })

  it('carries the port on plain-http loopback, where browsers share cookies between ports', () => {
    const { name, preName, secure } = resolveConfig({ ...GOOD, origin: 'http://localhost:3000' }).cookie
    assert.deepEqual([name, preName, secure], ['pocketbase-session-3000', 'pocketbase-session-3000-pre', false])
  })

  it('refuses a prefix that browsers drop over plain http', () => {
    const problems = problemsOf({ origin: 'http://localhost:3000', cookie: { name: '__Host-app' } })
    assert.match(problems.join(), /^cookie\.name/)
  })

  it('refuses SameSite=None', () => {
    assert.match(problemsOf({ cookie: { sameSite: 'none' } }).join(), /lax, strict/)
  })
})

interface UnsafeCase {
  readonly what: string
  readonly options: object
  readonly override: object
  /** Refused in development too. */
  readonly always?: true
}

const UNSAFE: readonly UnsafeCase[] = [
  { what: 'the memory store', options: { store: 'memory:' }, override: { memoryStoreInProduction: true } },
  { what: 'a plain-http origin', options: { origin: 'http://localhost:3000' }, override: { insecureCookies: true } },
  {
    what: 'a plain-http origin off this machine',
    options: { origin: 'http://app.example.test' },
    override: { insecureCookies: true },
    always: true,
  },
  { what: 'a short secret', options: { secret: 'Zq3v8Kx1' }, override: { weakSecret: true }, always: true },
  { what: 'a repeated secret', options: { secret: 'a'.repeat(64) }, override: { weakSecret: true } },
  { what: 'a placeholder', options: { secret: `changeme${SECRET}` }, override: { weakSecret: true } },
  { what: 'a weak second secret', options: { secret: [SECRET, 'ab'.repeat(32)] }, override: { weakSecret: true } },
  {
    what: 'trust in all proxies',
    options: { trustProxy: Infinity },
    override: { trustAllProxies: true },
    always: true,
  },
  {
    what: 'plain http to a PocketBase off this machine',
    options: { pocketbase: 'http://pocketbase.internal:8090' },
    override: { plainPocketBase: true },
  },
]

describe('in production', () => {
  for (const { what, options, override, always } of UNSAFE) {
    it(`${what} does not start, and its override lifts exactly that`, () => {
      const refused = problemsOf(options, true)
      assert.equal(refused.length, 1, refused.join('\n'))
      const name = Object.keys(override)[0]
      assert.ok(refused[0]?.includes(`unsafe.${name}`), refused[0])
      assert.deepEqual(problemsOf({ ...options, unsafe: override }, true), [])
      assert.equal(problemsOf(options).length, always ? 1 : 0)
    })
  }

  it('a PocketBase on this machine may speak plain http', () => {
    for (const host of ['127.0.0.1', '127.8.9.1', 'localhost', '[::1]']) {
      assert.deepEqual(problemsOf({ pocketbase: `http://${host}:8090` }, true), [])
    }
    assert.equal(problemsOf({ pocketbase: 'http://127.0.0.1.evil.test:8090' }, true).length, 1)
  })

  it('a session file that others may read does not start', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'config-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'sessions.db')
    writeFileSync(file, '')
    chmodSync(file, 0o644)
    assert.match(problemsOf({ store: `sqlite:${file}` }, true).join(), /chmod 600/)
    chmodSync(file, 0o600)
    assert.deepEqual(problemsOf({ store: `sqlite:${file}` }, true), [])
  })

  it('trust proxy: true is refused with what to write instead', () => {
    assert.match(problemsOf({ trustProxy: true }, true).join(), /number of proxies/)
  })
})
