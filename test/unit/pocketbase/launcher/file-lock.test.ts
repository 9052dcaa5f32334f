// Locks between processes: other real processes hold them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { tryLock, withLock } from '../../../../server/pocketbase/launcher/file-lock.ts'

const MODULE = new URL('../../../../server/pocketbase/launcher/file-lock.ts', import.meta.url).href

let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'file-lock-')), 'lock')
})
afterEach(() => rm(join(path, '..'), { recursive: true }))

/** A process that takes the lock, says whether it got it, and waits to be killed. */
async function contender() {
  const script = `const { tryLock } = await import('${MODULE}')
    globalThis.lock = tryLock(process.argv[1]); console.log(globalThis.lock !== null); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, path])
  const [answer] = (await once(child.stdout, 'data')) as [Buffer]
  const kill = async (): Promise<void> => {
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
  }
  return { got: answer.toString().trim() === 'true', kill }
}

test('one of many processes gets the lock', async () => {
  const contenders = await Promise.all([contender(), contender(), contender()])
  assert.equal(contenders.filter(({ got }) => got).length, 1)
  await Promise.all(contenders.map(({ kill }) => kill()))
})

test('the lock of a process that was killed with -9 is free at once', async () => {
  const holder = await contender()
  assert.equal(holder.got, true)
  assert.equal(tryLock(path), null)
  await holder.kill()
  const lock = tryLock(path)
  assert.notEqual(lock, null)
  lock?.release()
})

test('a second caller in the same process waits its turn', async () => {
  const order: string[] = []
  const first = Promise.withResolvers<void>()
  const one = withLock(path, async () => {
    order.push('one starts')
    await first.promise
    order.push('one ends')
  })
  const two = withLock(path, () => Promise.resolve(order.push('two')))
  first.resolve()
  await Promise.all([one, two])
  assert.deepEqual(order, ['one starts', 'one ends', 'two'])
})
