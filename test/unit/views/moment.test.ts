// Times as pages tell them.

import assert from 'node:assert/strict'
import test from 'node:test'
import { moment } from '../../../server/views/moment.ts'

const NOW = Date.UTC(2026, 10, 24, 22, 55, 30)
const MINUTE = 60_000
const HOUR = 60 * MINUTE

test('a moment is written for machines and for people, in UTC', () => {
  const { iso, text } = moment(NOW, NOW)
  assert.deepEqual([iso, text], ['2026-11-24T22:55:30.000Z', '24 Nov 2026, 22:55 UTC'])
  assert.equal(moment(Date.UTC(2026, 0, 3, 4, 5), NOW).text, '3 Jan 2026, 04:05 UTC')
})

test('its distance is told in the largest unit that says enough', () => {
  const told = (difference: number): string => moment(NOW + difference, NOW).relative
  assert.equal(told(0), 'just now')
  assert.equal(told(-59_999), 'just now')
  assert.equal(told(30_000), 'in a moment')
  assert.equal(told(-MINUTE), '1 minute ago')
  assert.equal(told(-59 * MINUTE), '59 minutes ago')
  assert.equal(told(-HOUR), '1 hour ago')
  assert.equal(told(-47 * HOUR), '47 hours ago')
  assert.equal(told(48 * HOUR), 'in 2 days')
})
