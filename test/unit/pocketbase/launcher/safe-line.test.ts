// PocketBase's output in our log.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { safeLine } from '../../../../server/pocketbase/launcher/safe-line.ts'

test('keeps tokens, colours and control characters out of the log', () => {
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjEifQ.abc-_123'
  const line = `\u001B[35mLaunch http://127.0.0.1:1/_/#/pbinstall/${token}\u001B[0m\u0007`
  assert.equal(safeLine(line), 'Launch http://127.0.0.1:1/_/#/pbinstall/[token] ')
  assert.equal(safeLine('x'.repeat(9999)).length, 500)
})
