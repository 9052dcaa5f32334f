import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  cookieMaxAgeMs,
  idleDeadline,
  isFresh,
  isTouchDue,
  type SessionPolicy,
} from '../../../server/sessions/policy.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const policy: SessionPolicy = {
  idleTimeoutMs: 2 * HOUR,
  absoluteTimeoutMs: 24 * HOUR,
  rememberIdleTimeoutMs: 14 * 24 * HOUR,
  rememberAbsoluteTimeoutMs: 30 * 24 * HOUR,
  touchIntervalMs: MINUTE,
  freshForMs: 10 * MINUTE,
  maxPerUser: 10,
}
const session = { remembered: false, cookie: null, expiresAt: 24 * HOUR, tokenExpiresAt: null, lastSeenAt: 0 }

describe('policy', () => {
  test('slides the idle deadline, never past the absolute one', () => {
    assert.equal(idleDeadline(policy, session, HOUR), 3 * HOUR)
    assert.equal(idleDeadline(policy, session, 23 * HOUR), 24 * HOUR)
  })

  test('never lets a session outlive its PocketBase token', () => {
    assert.equal(idleDeadline(policy, { ...session, tokenExpiresAt: 2 * HOUR }, HOUR), 2 * HOUR)
  })

  test('takes the cookie lifetime that a handler set, within the absolute deadline', () => {
    assert.equal(idleDeadline(policy, { ...session, cookie: 5 * MINUTE }, HOUR), HOUR + 5 * MINUTE)
    assert.equal(idleDeadline(policy, { ...session, cookie: 99 * HOUR }, HOUR), 24 * HOUR)
  })

  test('touches once a minute, or each tenth of a shorter idle timeout', () => {
    assert.equal(isTouchDue(policy, session, MINUTE - 1), false)
    assert.equal(isTouchDue(policy, session, MINUTE), true)
    assert.equal(isTouchDue(policy, { ...session, cookie: MINUTE }, 5999), false)
    assert.equal(isTouchDue(policy, { ...session, cookie: MINUTE }, 6000), true)
  })

  test('sends a browser-session cookie unless the user asked to be remembered or a handler set a lifetime', () => {
    assert.equal(cookieMaxAgeMs(session, HOUR), null)
    assert.equal(cookieMaxAgeMs({ ...session, remembered: true }, HOUR), 23 * HOUR)
    assert.equal(cookieMaxAgeMs({ ...session, cookie: MINUTE }, HOUR), MINUTE)
  })

  test('is fresh only for a while after the user proved who they are', () => {
    assert.equal(isFresh({ authTime: null }, 10 * MINUTE, 0), false)
    assert.equal(isFresh({ authTime: 0 }, 10 * MINUTE, 10 * MINUTE), true)
    assert.equal(isFresh({ authTime: 0 }, 10 * MINUTE, 10 * MINUTE + 1), false)
  })
})
