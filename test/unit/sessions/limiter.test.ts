import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StoreUnavailableError } from '../../../server/errors.ts'
import { Limiter, RateLimitedError, type Budget } from '../../../server/sessions/limiter.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { openSessions } from '../../support/sessions.ts'

const budget: Budget = { name: 'login:ann', kind: 'login_account', limit: 10, windowMs: 900_000 }

async function setUp() {
  const { sessions, clock } = await openSessions()
  return { limiter: new Limiter(sessions, clock.now), clock }
}

const isWrong = (result: string): boolean => result === 'wrong'

describe('limiter', () => {
  test('refuses the attempt after the last failure of the budget, without running it, and says when to try again', async () => {
    const { limiter, clock } = await setUp()
    for (let i = 0; i < 10; i++) await limiter.attempt([budget], async () => 'wrong', isWrong)
    clock.advance(60_000)
    let ran = false
    const refused = limiter.attempt([budget], async () => String((ran = true)), isWrong)
    await assert.rejects(refused, (error) => error instanceof RateLimitedError && error.retryAfter === 840)
    assert.equal(ran, false)
  })

  test('lets in again when the window is over, or after a success cleared it', async () => {
    const { limiter, clock } = await setUp()
    for (let i = 0; i < 10; i++) await limiter.attempt([budget], async () => 'wrong', isWrong)
    clock.advance(900_000)
    assert.equal(await limiter.attempt([budget], async () => 'ok', isWrong), 'ok')
    for (let i = 0; i < 9; i++) await limiter.attempt([budget], async () => 'wrong', isWrong)
    await limiter.clear(budget)
    for (let i = 0; i < 10; i++) await limiter.attempt([budget], async () => 'wrong', isWrong)
    await assert.rejects(
      limiter.attempt([budget], async () => 'ok', isWrong),
      RateLimitedError,
    )
  })

  test('runs no more than the budget of parallel wrong attempts', async () => {
    const { limiter } = await setUp()
    let ran = 0
    const wrong = async (): Promise<string> => {
      ran++
      await new Promise((resolve) => setImmediate(resolve))
      return 'wrong'
    }
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, () => limiter.attempt([budget], wrong, isWrong)),
    )
    assert.equal(ran, 10)
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 40)
  })

  test('refuses none of many parallel right attempts', async () => {
    const { limiter } = await setUp()
    const right = async (): Promise<string> => {
      await new Promise((resolve) => setImmediate(resolve))
      return 'ok'
    }
    const results = await Promise.all(Array.from({ length: 100 }, () => limiter.attempt([budget], right, isWrong)))
    assert.equal(results.length, 100)
  })

  test('counts only wrong answers: an outage uses nothing up and stops nobody who waits', async () => {
    const { limiter } = await setUp()
    const outage = async (): Promise<string> => {
      throw new Error('down')
    }
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () => limiter.attempt([budget], outage, isWrong)),
    )
    assert.ok(results.every((result) => result.status === 'rejected' && !(result.reason instanceof RateLimitedError)))
    assert.equal(await limiter.attempt([budget], async () => 'ok', isWrong), 'ok')
  })

  test('lets nobody wait for the deadlines of others while the store hangs, and goes on when it is back', async () => {
    const store = createFaultyStore()
    const { sessions, clock } = await openSessions({ store, timeoutMs: 50 })
    const limiter = new Limiter(sessions, clock.now)
    store.fault('hit', 'hang')
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () => limiter.attempt([budget], async () => 'ok', isWrong)),
    )
    assert.ok(results.every((result) => result.status === 'rejected' && result.reason instanceof StoreUnavailableError))
    assert.equal(store.calls.hit, 1, 'one deadline for all of them')
    store.heal()
    assert.equal(await limiter.attempt([budget], async () => 'ok', isWrong), 'ok')
  })

  test('spends and takes by use', async () => {
    const { limiter } = await setUp()
    const two = { ...budget, limit: 2 }
    assert.deepEqual([await limiter.take(two), await limiter.take(two), await limiter.take(two)], [true, true, false])
    await assert.rejects(limiter.spend(two), RateLimitedError)
  })
})
