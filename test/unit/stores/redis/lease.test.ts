import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Lease } from '../../../../server/stores/redis/lease.ts'

/** A lease of 150 ms whose questions wait for an answer. */
function setUp() {
  const questions: PromiseWithResolvers<void>[] = []
  const lease = new Lease(() => {
    const question = Promise.withResolvers<void>()
    questions.push(question)
    return question.promise
  }, 150)
  const settle = async (how: () => void): Promise<void> => {
    how()
    await new Promise(setImmediate)
  }
  const answer = (i: number): Promise<void> => settle(() => questions[i]?.resolve())
  const refuse = (i: number): Promise<void> => settle(() => questions[i]?.reject(new Error('refused')))
  return { lease, questions, answer, refuse }
}

test('holds from the moment the question was asked, not from that of the answer', async () => {
  const { lease, answer } = setUp()
  lease.renew('row', 1000)
  assert.ok(!lease.holds(1001), 'nothing has been answered')
  await answer(0)
  assert.ok(lease.holds(1149))
  assert.ok(!lease.holds(1150))
})

test('is renewed by use, not more often than three times in its length', async () => {
  const { lease, answer, questions } = setUp()
  assert.ok(lease.isDue(0))
  lease.renew('row', 0)
  assert.ok(!lease.isDue(50))
  assert.ok(lease.isDue(51), 'a slow answer does not keep it from asking again')
  lease.renew('row', 51)
  await answer(0)
  await answer(1)
  assert.ok(lease.holds(200))
  assert.equal(questions.length, 2, 'it asks by itself')
})

test('a refused question renews nothing, and what was answered before still counts', async () => {
  const { lease, answer, refuse } = setUp()
  lease.renew('row', 0)
  await answer(0)
  lease.renew('row', 100)
  await refuse(1)
  assert.ok(lease.holds(149))
  assert.ok(!lease.holds(150))
})

test('does not come back once it is over, whatever answer still arrives', async () => {
  const { lease, answer } = setUp()
  lease.renew('row', 0)
  await answer(0)
  lease.renew('row', 100)
  lease.end()
  assert.ok(!lease.holds(101))
  await answer(1)
  assert.ok(!lease.holds(102))
  assert.ok(!lease.isDue(1000))
  assert.ok(lease.isOver)
})
