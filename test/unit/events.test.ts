import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { AUTH_EVENTS, AuthEventEmitter } from '../../server/events.ts'
import { logEvents } from '../../server/log-events.ts'

const LOGIN = { userId: 'u1', amr: ['pwd'], replaced: null }

describe('audit events', () => {
  it('reach every listener, whatever one of them does', async () => {
    const failures: unknown[] = []
    const events = new AuthEventEmitter((error) => failures.push(error))
    const seen: string[] = []
    events.on('authn_login_success', () => {
      throw new Error('a listener that throws')
    })
    // A promise where none is expected: nobody would hear of its failure.
    const rejecting: () => unknown = () => Promise.reject(new Error('a listener that rejects'))
    events.on('authn_login_success', rejecting)
    events.on('authn_login_success', ({ userId }) => seen.push(String(userId)))
    assert.equal(events.emit('authn_login_success', LOGIN), true)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(seen, ['u1'])
    assert.deepEqual(
      failures.map((error) => (error as Error).message),
      ['a listener that throws', 'a listener that rejects'],
    )
  })

  it('reach a listener for once only once', () => {
    const events = new AuthEventEmitter()
    let calls = 0
    events.once('authn_login_success', () => calls++)
    events.emit('authn_login_success', LOGIN)
    events.emit('authn_login_success', LOGIN)
    assert.equal(calls, 1)
  })

  it('all go to the log, attacks and failures as warnings', () => {
    const events = new AuthEventEmitter()
    const lines: (readonly [string, object])[] = []
    const note = (level: string) => (details: object) => void lines.push([level, details])
    logEvents(events, { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') })
    events.emit('authn_login_success', LOGIN)
    events.emit('malicious_csrf', { path: '/x', why: 'origin_refused' })
    events.emit('authn_login_fail', { why: 'invalid_credentials' })
    events.emit('config_unsafe_override', { name: 'insecureCookies' })
    assert.deepEqual(
      lines.map(([level]) => level),
      ['info', 'warn', 'warn', 'warn'],
    )
    assert.deepEqual(lines[0]?.[1], { event: 'authn_login_success', ...LOGIN })
    assert.equal(
      AUTH_EVENTS.every((name) => events.listenerCount(name) === 1),
      true,
    )
  })
})
