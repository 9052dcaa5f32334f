// docs/http-api.md names every route and every problem code, and no others.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { PROBLEM_STATUS } from '../../server/errors.ts'
import { FLOWS } from '../../server/routes/auth.ts'

const text = readFileSync(new URL('../../docs/http-api.md', import.meta.url), 'utf8')

test('the routes are those of the table', () => {
  const documented = [...text.matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(([, route]) => route)
  assert.deepEqual(new Set(documented), new Set(FLOWS.map(({ method, path }) => `${method} ${path}`)))
})

test('the problem codes have their status', () => {
  const documented = [...text.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, code, status]) => [code, Number(status)])
  assert.deepEqual(documented, Object.entries(PROBLEM_STATUS))
})
