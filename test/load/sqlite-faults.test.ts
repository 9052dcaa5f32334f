// SQLite under load when another process holds its lock, and when the disk is full.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { Ledger } from '../support/ledger.ts'
import { notesApp } from '../support/notes-app.ts'
import { newEmail } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { assertRefused } from '../support/refusal.ts'
import { startServerProcess } from '../support/server-process.ts'
import { startStoreProcess, type StoreProcess } from '../support/store-process.ts'
import { temporaryFolder } from '../support/stores.ts'
import { Visitor } from '../support/visitor.ts'

const VISITORS = 24
const LOCK_MS = 3000
const COOKIE = 'session'
/** How far the files of the store may still grow on the full disk. */
const ROOM_BYTES = 200_000

let pocketbase: TestPocketBase
before(async () => {
  pocketbase = await startPocketBase()
})
after(() => pocketbase?.stop())

interface Party {
  readonly app: StartedApp
  readonly path: string
  readonly ledger: Ledger
  readonly visitors: readonly Visitor[]
  readonly other: StoreProcess
}

async function invite(t: TestContext, storeTimeoutMs: number): Promise<Party> {
  const path = join(temporaryFolder(t), 'sessions.db')
  const store = createSqliteStore({ path, timeoutMs: storeTimeoutMs })
  const app = await startApp({ store, build: notesApp, storeTimeoutMs, pocketbase: pocketbase.url })
  t.after(() => app.close())
  const other = await startStoreProcess()
  t.after(() => other.kill())
  const ledger = new Ledger()
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(app.browser(), newEmail('locked'), ledger))
  await Promise.all(
    visitors.map(async (visitor) => {
      assert.equal((await visitor.register()).status, 201)
      await visitor.browser.csrfToken()
    }),
  )
  return { app, path, ledger, visitors, other }
}

async function assertAsAcknowledged({ app, ledger, visitors }: Party): Promise<void> {
  assert.deepEqual(await ledger.broken(app.url, app.services.config.cookie.name), [])
  for (const visitor of visitors) if (visitor.isSignedIn) await visitor.assertNotes()
}

describe('another process that holds the lock of the sessions', () => {
  it('keeps nobody from reading, and what was asked meanwhile is done when it is over', async (t) => {
    const party = await invite(t, 20 * LOCK_MS)
    await party.other.lock(party.path)
    let done = 0
    const writes = party.visitors.map(async (visitor, n) => {
      const answer = await (n % 2 === 0 ? visitor.note('during', `${n}`) : visitor.login())
      assert.equal(answer.status, 200, answer.text)
      done += 1
    })
    // This one writes a note; a session that is being replaced is for nobody to read.
    const [reader] = party.visitors
    assert.ok(reader)
    for (const held = performance.now(); performance.now() - held < LOCK_MS;) {
      assert.equal((await reader.browser.get('/auth/status')).json()['authenticated'], true)
    }
    assert.equal(done, 0)
    await party.other.unlock(party.path)
    await Promise.all(writes)
    await assertAsAcknowledged(party)
  })

  it('makes writes a 503 at the deadline where it goes on longer, and is forgotten when it is over', async (t) => {
    const party = await invite(t, LOCK_MS / 3)
    await party.other.lock(party.path)
    const answers = await Promise.all(
      party.visitors.map((visitor, n) => (n % 2 === 0 ? visitor.note('during', `${n}`) : visitor.logout())),
    )
    for (const answer of answers) assertRefused(answer)
    await party.other.unlock(party.path)
    // A write that was given up may have been done in the last moment.
    for (const [n, visitor] of party.visitors.entries()) {
      if (!visitor.isSignedIn) assert.equal((await visitor.login()).status, 200)
      assert.equal((await visitor.note('after', `${n}`)).status, 200)
    }
    await assertAsAcknowledged(party)
  })
})

describe('a full disk', () => {
  it('makes sign-ins a 503, keeps who is signed in, and is over when there is room again', async (t) => {
    const cwd = temporaryFolder(t)
    const env = { POCKETBASE_URL: pocketbase.url, SESSION_COOKIE_NAME: COOKIE, SESSION_MAX_PER_USER: '1000' }
    const server = await startServerProcess({ cwd, env })
    t.after(() => server.stop('SIGKILL'))
    const ledger = new Ledger()
    const newVisitor = (email: string): Visitor => new Visitor(new BrowserClient(server.url), email, ledger)
    const known = Array.from({ length: VISITORS }, () => newEmail('full'))
    await Promise.all(known.map(async (email) => assert.equal((await newVisitor(email).register()).status, 201)))

    limitFiles(server.child.pid, largestFile(join(cwd, 'data')) + ROOM_BYTES)
    await Promise.all(known.map((email) => signInUntilRefused(() => newVisitor(email))))
    assert.deepEqual(await ledger.broken(server.url, COOKIE), [])

    limitFiles(server.child.pid, 'unlimited')
    for (const email of known) assert.equal((await newVisitor(email).login()).status, 200)
    assert.deepEqual(await ledger.broken(server.url, COOKIE), [])
    await server.stop('SIGKILL')
    const next = await startServerProcess({ cwd, env })
    t.after(() => next.stop('SIGKILL'))
    assert.deepEqual(await ledger.broken(next.url, COOKIE), [])
  })
})

async function signInUntilRefused(newVisitor: () => Visitor): Promise<void> {
  for (;;) {
    const answer = await newVisitor().login()
    if (answer.status !== 200) return assertRefused(answer)
  }
}

function largestFile(folder: string): number {
  return Math.max(...readdirSync(folder).map((name) => statSync(join(folder, name)).size))
}

/** Writes past this size fail, as they do on a full disk; only the soft limit, so that it can be raised again. */
function limitFiles(pid: number | undefined, bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:`])
}
