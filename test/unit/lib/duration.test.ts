import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatDuration, parseDuration } from '../../../server/lib/duration.ts'

describe('parseDuration', () => {
  it('reads a number with a unit', () => {
    const read = ['500ms', '30s', '30m', '12h', '14d', ' 1h '].map(parseDuration)
    assert.deepEqual(read, [500, 30_000, 1_800_000, 43_200_000, 1_209_600_000, 3_600_000])
  })

  it('refuses what could be read in two ways', () => {
    for (const text of ['30', '', 'm', '1.5h', '-1h', '1h30m', '1e3s', '30 m', '1w', '0x10s']) {
      assert.equal(parseDuration(text), undefined, text)
    }
  })
})

describe('formatDuration', () => {
  it('writes what parseDuration reads', () => {
    for (const text of ['500ms', '30s', '30m', '12h', '14d', '90s']) {
      assert.equal(parseDuration(formatDuration(parseDuration(text) ?? -1)), parseDuration(text))
    }
    assert.equal(formatDuration(7_200_000), '2h')
  })
})
