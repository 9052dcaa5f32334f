// What is a definite no of PocketBase, and what is an outage.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClientResponseError } from 'pocketbase'
import { PocketBaseUnavailableError, ProblemError } from '../../../server/errors.ts'
import { answerOf } from '../../../server/pocketbase/answer.ts'

function refusal(status: number, body: unknown): ClientResponseError {
  return new ClientResponseError({ url: 'http://pb', status, data: body })
}

test("takes PocketBase's JSON error for a definite no", () => {
  const body = { status: 401, message: 'The request requires valid record authorization token.', data: {} }
  assert.deepEqual(answerOf(refusal(401, body)), { kind: 'refused', ...body })
})

test('takes the id of a second factor for a login that wants one', () => {
  assert.deepEqual(answerOf(refusal(401, { mfaId: 'abc' })), { kind: 'mfa' })
})

test('takes every other 401, 403, 5xx and failure for an outage', () => {
  const outages: readonly unknown[] = [
    refusal(401, {}),
    refusal(401, { message: 'Unauthorized' }),
    refusal(403, { status: 401, message: 'of another status', data: {} }),
    refusal(403, { status: 403, message: 'no data' }),
    refusal(403, { status: 403, message: 'a list', data: [] }),
    refusal(404, { error: 'not found' }),
    refusal(429, { error: 'slow down' }),
    refusal(500, { status: 500, message: 'Something went wrong.', data: {} }),
    refusal(0, {}),
    new TypeError('fetch failed'),
  ]
  for (const error of outages) {
    assert.throws(() => answerOf(error), PocketBaseUnavailableError, JSON.stringify(error))
  }
})

test("passes PocketBase's own limit on, with a time to wait", () => {
  const limited = refusal(429, { status: 429, message: 'Too Many Requests.', data: {} })
  assert.throws(
    () => answerOf(limited),
    (error: unknown) => error instanceof ProblemError && error.code === 'rate_limited' && error.retryAfter === 10,
  )
})
