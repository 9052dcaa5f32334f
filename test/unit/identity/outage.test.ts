import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Outage } from '../../../server/identity/outage.ts'
import { testClock } from '../../support/sessions.ts'

describe('Outage', () => {
  it('lets everybody ask as long as PocketBase answers', () => {
    const outage = new Outage(testClock().now)
    assert.deepEqual([outage.mayAsk(), outage.mayAsk()], [true, true])
  })

  it('lets nobody ask in the five seconds after a failure', () => {
    const clock = testClock()
    const outage = new Outage(clock.now)
    outage.failed()
    clock.advance(4999)
    assert.equal(outage.mayAsk(), false)
  })

  it('lets one probe through after that, and everybody once it is answered', () => {
    const clock = testClock()
    const outage = new Outage(clock.now)
    outage.failed()
    clock.advance(5000)
    assert.deepEqual([outage.mayAsk(), outage.mayAsk()], [true, false])
    outage.answered()
    assert.deepEqual([outage.mayAsk(), outage.mayAsk()], [true, true])
  })

  it('waits another five seconds after a probe that failed', () => {
    const clock = testClock()
    const outage = new Outage(clock.now)
    assert.equal(outage.failed(), true, 'the outage begins')
    clock.advance(5000)
    outage.mayAsk()
    assert.equal(outage.failed(), false, 'it goes on')
    assert.equal(outage.mayAsk(), false)
    clock.advance(5000)
    assert.equal(outage.mayAsk(), true)
  })
})
