import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { retry } from '../../../server/lib/retry.ts'

describe('retry', () => {
  it('starts at once, and is done after a success', async () => {
    let runs = 0
    await retry(() => void runs++, { waitMs: 1000, failed: () => assert.fail() }).first
    assert.equal(runs, 1)
  })

  it('tries again after failures, with longer and longer pauses, until it succeeds', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const failures: number[] = []
    let runs = 0
    const task = (): void => {
      runs++
      if (runs < 4) throw new Error('away')
    }
    await retry(task, { waitMs: 1000, failed: (_, count) => failures.push(count) }).first
    assert.equal(runs, 1)
    for (const pause of [250, 500, 1000]) {
      t.mock.timers.tick(pause - 1)
      const before: number = runs
      t.mock.timers.tick(1)
      await turn()
      assert.equal(runs, before + 1, `after ${pause} ms`)
    }
    t.mock.timers.tick(60_000)
    await turn()
    assert.equal(runs, 4)
    assert.deepEqual(failures, [1, 2, 3])
  })

  it('does not wait longer for the first try than it may', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const retrying = retry(() => new Promise(() => undefined), { waitMs: 500, failed: () => assert.fail() })
    t.mock.timers.tick(500)
    await retrying.first
  })

  it('tries no more once it is stopped, and reports nothing', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    let runs = 0
    const task = async (): Promise<void> => {
      runs++
      throw new Error('away')
    }
    const retrying = retry(task, { waitMs: 1000, failed: () => undefined })
    await retrying.first
    retrying.stop()
    t.mock.timers.tick(60_000)
    await turn()
    assert.equal(runs, 1)
  })
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
