// PocketBase dies or hangs under load: whoever is signed in stays so and goes on, signing in says when to try again, and all is
// well by itself when PocketBase is back.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readStatus } from '../../server/pocketbase/launcher/status-file.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { assertNoHalfUsers } from '../support/half-users.ts'
import { Ledger } from '../support/ledger.ts'
import { notesApp } from '../support/notes-app.ts'
import { newEmail, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { assertRefused } from '../support/refusal.ts'
import { startServerProcess, type ServerProcess } from '../support/server-process.ts'
import { temporaryFolder } from '../support/stores.ts'
import { Visitor } from '../support/visitor.ts'

const VISITORS = 20
const TIMEOUT_MS = 500
const REVALIDATE_MS = 61_000
const PROBE_MS = 5001
const TOO_STALE_MS = 11 * 60_000
const COOKIE = 'session'

interface Outage {
  readonly name: string
  begin(pocketbase: TestPocketBase): Promise<void>
  end(pocketbase: TestPocketBase): Promise<void>
}

const OUTAGES: readonly Outage[] = [
  { name: 'killed', begin: (pocketbase) => pocketbase.kill(), end: (pocketbase) => pocketbase.start() },
  { name: 'stopped', begin: (pocketbase) => pocketbase.pause(), end: async (pocketbase) => pocketbase.resume() },
]

interface Party {
  readonly app: StartedApp
  readonly pocketbase: TestPocketBase
  readonly ledger: Ledger
  readonly visitors: readonly Visitor[]
}

async function invite(t: TestContext): Promise<Party> {
  const pocketbase = await startPocketBase()
  t.after(() => pocketbase.stop())
  const app = await startApp({
    build: notesApp,
    pocketbase: { url: pocketbase.url, timeoutMs: TIMEOUT_MS, loginTimeoutMs: TIMEOUT_MS, concurrentLogins: 4 },
  })
  t.after(() => app.close())
  const ledger = new Ledger()
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(app.browser(), newEmail('guest'), ledger))
  for (const visitor of visitors) assert.equal((await visitor.register()).status, 201)
  return { app, pocketbase, ledger, visitors }
}

describe('a PocketBase that is away under load', () => {
  for (const { name, begin, end } of OUTAGES) {
    it(`ends no session and keeps nobody from working while it is ${name}, and is found when it is back`, async (t) => {
      const party = await invite(t)
      const { app, pocketbase, ledger, visitors } = party
      await begin(pocketbase)
      app.clock.advance(REVALIDATE_MS)
      // The answers come while PocketBase is away: nothing waits for its return.
      await Promise.all([...visitors.map(workStale), ...strangers(party)])
      app.clock.advance(TOO_STALE_MS)
      const signedIn = visitors.filter((visitor) => visitor.isSignedIn)
      await Promise.all(signedIn.map(async ({ browser }) => assertRefused(await browser.get('/notes'))))
      await end(pocketbase)

      app.clock.advance(PROBE_MS)
      await untilFresh(signedIn)
      assert.deepEqual(await ledger.broken(app.url, app.services.config.cookie.name), [])
      for (const visitor of signedIn) await visitor.assertNotes()
      for (const visitor of visitors) assert.equal((await visitor.login()).status, 200)
      // What was cut short has made a user with a profile, or none.
      await assertNoHalfUsers(await pocketbase.admin.client())
    })
  }

  it('is started again by the server that has started it, and nobody is signed out', async (t) => {
    const cwd = temporaryFolder(t)
    const server = await startServerProcess({ cwd, env: { SESSION_COOKIE_NAME: COOKIE, REVALIDATE_INTERVAL: '1s' } })
    t.after(() => server.stop('SIGKILL'))
    const ledger = new Ledger()
    const visitors = Array.from(
      { length: 5 },
      () => new Visitor(new BrowserClient(server.url), newEmail('kept'), ledger),
    )
    await Promise.all(visitors.map(async (visitor) => assert.equal((await visitor.register()).status, 201)))
    for (let kill = 0; kill < 3; kill += 1) {
      const pid = pocketbasePid(cwd)
      process.kill(pid, 'SIGKILL')
      await Promise.all([...visitors.map(untilSignedIn), assertPublic(server)])
      await untilNoted(cwd, pid)
      assert.deepEqual(await ledger.broken(server.url, COOKIE), [])
    }
    assert.equal((await server.stop('SIGTERM')).code, 0)
  })
})

/** Signed-in people go on, and some sign out. */
async function workStale(visitor: Visitor, n: number): Promise<void> {
  const { browser, email } = visitor
  for (let round = 0; round < 3; round += 1) {
    const seen = (await browser.get('/notes')).json()
    assert.deepEqual([seen['email'], seen['stale']], [email, true])
    assert.equal((await visitor.note('during', `round ${round}`)).status, 200)
    assert.equal((await browser.get('/auth/status')).json()['authenticated'], true)
    assert.equal((await browser.page('/')).status, 200)
    assert.equal((await browser.page('/devices')).status, 200)
    assertRefused(await browser.page('/account'))
    assertRefused(await browser.page('/admin'))
  }
  if (n % 5 === 0) assert.equal((await visitor.logout()).status, 204)
}

/** Those who are not signed in yet. */
function strangers({ app, ledger, visitors }: Party): readonly Promise<void>[] {
  return visitors.map(async ({ email }, n) => {
    const known = new Visitor(app.browser(), email, ledger)
    const stranger = new Visitor(app.browser(), newEmail('stranger'), ledger)
    assert.equal((await known.browser.page(n % 2 === 0 ? '/login' : '/')).status, 200)
    assertRefused(await known.login())
    assertRefused(await stranger.register())
  })
}

/** One request finds PocketBase again, and the others follow. The test's timeout ends the waiting. */
async function untilFresh(visitors: readonly Visitor[]): Promise<void> {
  for (const { browser } of visitors) {
    for (;;) {
      const answer = await browser.get('/notes')
      if (answer.status === 200 && answer.json()['stale'] === false) break
      if (answer.status !== 200) assertRefused(answer)
    }
  }
}

/** Signs in again as soon as it can be done. */
async function untilSignedIn({ browser, email }: Visitor): Promise<void> {
  for (;;) {
    const other = new BrowserClient(browser.url)
    assert.equal((await browser.get('/auth/status')).json()['authenticated'], true)
    const answer = await other.login(email, PASSWORD)
    if (answer.status === 200) return
    assertRefused(answer)
  }
}

async function assertPublic({ url }: ServerProcess): Promise<void> {
  const browser = new BrowserClient(url)
  for (const path of ['/', '/login', '/register']) assert.equal((await browser.page(path)).status, 200)
}

/** The note of who runs is written a moment after it answers. */
async function untilNoted(cwd: string, old: number): Promise<void> {
  while (pocketbasePid(cwd) === old) await delay(10)
}

function pocketbasePid(cwd: string): number {
  const pid = readStatus(join(cwd, 'data'))?.pocketbasePid
  assert.ok(pid)
  return pid
}
