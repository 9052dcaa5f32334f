// How a request is refused that could not be answered for the moment.

import assert from 'node:assert/strict'
import type { SeenAnswer } from './browser-client.ts'

/** Unknown is not anonymous: 503, never 401 or a page for guests, with a time to wait, and the cookie is left alone. */
export function assertRefused(answer: SeenAnswer): void {
  assert.equal(answer.status, 503, `${answer.method} ${answer.path}: ${answer.text}`)
  assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/)
  assert.deepEqual(answer.cookies, [])
}
