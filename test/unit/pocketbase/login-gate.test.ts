// Password checks stand in line.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { PocketBaseUnavailableError } from '../../../server/errors.ts'
import { LoginGate } from '../../../server/pocketbase/login-gate.ts'

/** A check that ends when the test says so. */
function check() {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { work: () => promise, finish: resolve }
}

test('lets in as many at once as there are places, the others in order of arrival', async () => {
  const gate = new LoginGate({ places: 2 })
  const checks = [check(), check(), check(), check()]
  const started: number[] = []
  const runs = checks.map(({ work }, index) => {
    return gate.run(() => {
      started.push(index)
      return work()
    })
  })
  await turn()
  assert.deepEqual(started, [0, 1])
  checks[1]?.finish()
  await turn()
  assert.deepEqual(started, [0, 1, 2])
  for (const { finish } of checks) finish()
  await Promise.all(runs)
  assert.deepEqual(started, [0, 1, 2, 3])
  assert.equal(gate.expectedWaitMs(), 0)
})

test('frees the place of a check that failed', async () => {
  const gate = new LoginGate({ places: 1 })
  await assert.rejects(
    gate.run(() => Promise.reject(new Error('outage'))),
    /outage/,
  )
  assert.equal(await gate.run(() => Promise.resolve('next')), 'next')
})

test('refuses at once who would wait longer than 20 seconds, and says for how long', async () => {
  let now = 0
  const gate = new LoginGate({ places: 1, now: () => now })
  for (let i = 0; i < 50; i += 1) {
    await gate.run(() => {
      now += 15_000 // PocketBase is slow
      return Promise.resolve()
    })
  }
  const slow = check()
  const first = gate.run(slow.work)
  const second = gate.run(() => Promise.resolve())
  await assert.rejects(
    gate.run(() => Promise.resolve()),
    (error: unknown) => error instanceof PocketBaseUnavailableError && error.retryAfter === 30,
  )
  slow.finish()
  await Promise.all([first, second])
})

test('refuses a waiter whose place does not come free', async () => {
  const gate = new LoginGate({ places: 1, maxWaitMs: 150 })
  const hanging = check()
  const first = gate.run(hanging.work)
  await assert.rejects(
    gate.run(() => Promise.resolve()),
    PocketBaseUnavailableError,
  )
  hanging.finish()
  await first
  assert.equal(await gate.run(() => Promise.resolve('next')), 'next')
})

test('lets in next, and never turns away, what follows a change that has been made', async () => {
  let now = 0
  const gate = new LoginGate({ places: 1, now: () => now })
  for (let i = 0; i < 50; i += 1) {
    await gate.run(() => {
      now += 30_000 // so slow that everybody who would have to wait is refused
      return Promise.resolve()
    })
  }
  const slow = check()
  const order: string[] = []
  const first = gate.run(slow.work)
  const next = gate.run(async () => void order.push('next'), { isNext: true })
  await assert.rejects(
    gate.run(async () => void order.push('other')),
    PocketBaseUnavailableError,
  )
  slow.finish()
  await Promise.all([first, next])
  assert.deepEqual(order, ['next'])
})
