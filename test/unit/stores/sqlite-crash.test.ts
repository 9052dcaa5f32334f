// What is left when the process dies or the disk is full: everything that was acknowledged.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import type { Store } from '../../../server/sessions/store.ts'
import { createSqliteStore } from '../../../server/stores/sqlite.ts'
import { createClock, sampleSession } from '../../../server/testing.ts'
import { startStoreProcess } from '../../support/store-process.ts'
import { temporaryFolder } from '../../support/stores.ts'

const clock = createClock()

async function setUp(t: TestContext) {
  const path = `${temporaryFolder(t)}/sessions.db`
  const process = await startStoreProcess()
  t.after(() => process.kill())
  const writer = process.store(path)
  await writer.open()
  return { path, process, writer }
}

async function openAgain(t: TestContext, path: string): Promise<Store> {
  const store = createSqliteStore({ path })
  await store.open()
  t.after(() => store.close())
  return store
}

/** Signs in and out as fast as it goes, until a call fails. Answers what was acknowledged. */
async function work(store: Store, ended: Set<string>, live: Set<string>): Promise<void> {
  for (;;) {
    const [stays, goes] = [sampleSession(clock.now()), sampleSession(clock.now())]
    await store.create(stays)
    live.add(stays.key)
    await store.create(goes)
    await store.end(goes.key, 'logout', clock.now())
    ended.add(goes.key)
  }
}

async function assertKept(store: Store, ended: Set<string>, live: Set<string>): Promise<void> {
  for (const key of live) assert.ok((await store.find(key, clock.now()))?.live, 'an acknowledged sign-in is lost')
  for (const key of ended) {
    assert.equal((await store.find(key, clock.now()))?.ended?.reason, 'logout', 'an acknowledged logout is undone')
  }
}

test('kill -9 under load loses no acknowledged sign-in and undoes no acknowledged logout', async (t) => {
  for (const enough of [1, 20, 57, 110]) {
    const { path, process, writer } = await setUp(t)
    const [ended, live] = [new Set<string>(), new Set<string>()]
    const workers = Array.from({ length: 5 }, () => assert.rejects(work(writer, ended, live), /process is gone/))
    while (live.size < enough) await new Promise(setImmediate)
    await process.kill()
    await Promise.all(workers)
    await assertKept(await openAgain(t, path), ended, live)
  }
})

test('a full disk fails the writes, loses nothing acknowledged, and is over when there is room again', async (t) => {
  const { path, process, writer } = await setUp(t)
  const [ended, live] = [new Set<string>(), new Set<string>()]
  limitFiles(process.pid, 600_000)
  await assert.rejects(work(writer, ended, live), /disk I\/O error|is full/)
  assert.ok(live.size > 10)
  assert.ok(statSync(`${path}-wal`).size <= 600_000)
  for (let i = 0; i < 3; i += 1) {
    await assert.rejects(async () => writer.create(sampleSession(clock.now(), { fields: big() })))
    await assert.rejects(async () => writer.endByUser('user00000000001', 'logout_everywhere', clock.now()))
  }
  await assertKept(writer, ended, live)

  limitFiles(process.pid, 'unlimited')
  const after = sampleSession(clock.now(), { fields: big() })
  await writer.create(after)
  live.add(after.key)
  await assertKept(writer, ended, live)
  await process.kill()
  await assertKept(await openAgain(t, path), ended, live)
})

function big() {
  return new Map([['data:big', new Uint8Array(700_000)]])
}

/** Writes past this size fail, as they do on a full disk; only the soft limit, so that it can be raised again. */
function limitFiles(pid: number, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
}
