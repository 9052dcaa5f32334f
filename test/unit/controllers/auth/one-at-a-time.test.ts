import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { oneAtATime } from '../../../../server/controllers/auth/one-at-a-time.ts'
import { RateLimitedError } from '../../../../server/sessions/limiter.ts'
import { createFaultyStore } from '../../../support/faulty-store.ts'
import { openSessions } from '../../../support/sessions.ts'

async function setUp() {
  const store = createFaultyStore()
  const { sessions, clock } = await openSessions({ store, timeoutMs: 100 })
  const warnings: string[] = []
  const warn = (_details: object, message?: string): void => void warnings.push(message ?? '')
  return { store, clock, warnings, services: { sessions, logger: { debug() {}, info() {}, warn, error() {} } } }
}

describe('oneAtATime', () => {
  it('refuses a second run of the same name while the first is under way, and lets it in afterwards', async () => {
    const { services } = await setUp()
    const work = Promise.withResolvers<string>()
    const started = Promise.withResolvers<void>()
    const first = oneAtATime(services, 'x', () => {
      started.resolve()
      return work.promise
    })
    await started.promise
    await assert.rejects(
      oneAtATime(services, 'x', async () => 'second'),
      RateLimitedError,
    )
    assert.equal(await oneAtATime(services, 'y', async () => 'other'), 'other')
    work.resolve('done')
    assert.equal(await first, 'done')
    assert.equal(await oneAtATime(services, 'x', async () => 'second'), 'second')
  })

  it('lets the next one in when the work has failed', async () => {
    const { services } = await setUp()
    const failing = oneAtATime(services, 'x', () => Promise.reject(new Error('failed')))
    await assert.rejects(failing, /failed/)
    assert.equal(await oneAtATime(services, 'x', async () => 'next'), 'next')
  })

  for (const fault of ['reject', 'hang'] as const) {
    it(`is no failure when the work is done and the store cannot take the claim back (${fault}); the claim runs out`, async () => {
      const { services, store, clock, warnings } = await setUp()
      store.fault('release', fault, 1)
      assert.equal(await oneAtATime(services, 'x', async () => 'done'), 'done')
      assert.deepEqual(warnings, ['a claim could not be released'])
      clock.advance(60_000)
      assert.equal(await oneAtATime(services, 'x', async () => 'again'), 'again')
    })
  }
})
