import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { afterAtMost } from '../../../server/lib/after-at-most.ts'

describe('afterAtMost', () => {
  it('answers what the work answers', async () => {
    assert.equal(await afterAtMost(Promise.resolve(7), 10_000), 7)
  })

  it('passes a failure on', async () => {
    await assert.rejects(afterAtMost(Promise.reject(new Error('no')), 10_000), /no/)
  })

  it('answers nothing when the time is up, and lets the work go on', async () => {
    const { promise, resolve } = Promise.withResolvers<number>()
    assert.equal(await afterAtMost(promise, 1), undefined)
    resolve(1)
    assert.equal(await promise, 1)
  })
})
