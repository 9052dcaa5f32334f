// kill -9 of the server at any moment: who was told that they are signed in still is, who was told that they are signed out
// stays so, and no user is left without a profile.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { readStatus } from '../../server/pocketbase/launcher/status-file.ts'
import { readSuperuser } from '../../server/pocketbase/launcher/superuser-file.ts'
import { signInSuperuser } from '../../server/pocketbase/superuser.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { assertNoHalfUsers } from '../support/half-users.ts'
import { inParallel, Ledger } from '../support/ledger.ts'
import { newEmail } from '../support/people.ts'
import { startPocketBase } from '../support/pocketbase.ts'
import { startServerProcess, type ProcessOptions, type ServerProcess } from '../support/server-process.ts'
import { temporaryFolder } from '../support/stores.ts'
import { Visitor } from '../support/visitor.ts'
import type PocketBase from 'pocketbase'

const KILLS = 50
const KILLS_WITH_POCKETBASE = 5
const VISITORS = 8
/** The server dies after at most so many requests have begun. */
const MAX_REQUESTS = 40
const COOKIE = 'session'
/** Fifty starts take their time on a machine that has other things to do. */
const PATIENT = { timeout: 300_000 }

/** One server after the other on the same data. */
class Site {
  readonly ledger = new Ledger()
  readonly known: string[] = []
  readonly tried: string[] = []
  readonly #t: TestContext
  readonly #options: ProcessOptions

  constructor(t: TestContext, env: Readonly<Record<string, string>> = {}) {
    this.#t = t
    // The port, and with it the usual name, is another one each time.
    const settings = { SESSION_COOKIE_NAME: COOKIE, SESSION_MAX_PER_USER: '1000', LOG_LEVEL: 'warn' }
    this.#options = { cwd: temporaryFolder(t), env: { ...settings, ...env } }
  }

  get dataDir(): string {
    return join(this.#options.cwd, 'data')
  }

  async start(): Promise<ServerProcess> {
    const server = await startServerProcess(this.#options)
    this.#t.after(() => server.stop('SIGKILL'))
    return server
  }

  /** Lets visitors in, and kills the server while they are at it. */
  async workAndKill(server: ServerProcess, requests: number): Promise<void> {
    let left = requests
    const moment = Promise.withResolvers<void>()
    const begin = (): void => {
      left -= 1
      if (left <= 0) moment.resolve()
    }
    const visits = Array.from({ length: VISITORS }, () => this.#visitUntilGone(server.url, begin))
    await Promise.race([moment.promise, Promise.all(visits)])
    const { signal, output } = await server.stop('SIGKILL')
    assert.equal(signal, 'SIGKILL', output)
    assert.doesNotMatch(output, /"level":[56]0|unexpected error/)
    await Promise.all(visits)
  }

  async #visitUntilGone(url: string, begin: () => void): Promise<void> {
    try {
      for (;;) await this.#visit(url, begin)
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  /** A new user or one of before; some sign in again in the same browser, some sign out. */
  async #visit(url: string, begin: () => void): Promise<void> {
    const known = randomInt(3) > 0 ? this.known[randomInt(this.known.length || 1)] : undefined
    const email = known ?? newEmail('visitor')
    const visitor = new Visitor(new BrowserClient(url), email, this.ledger)
    begin()
    if (known === undefined) {
      this.tried.push(email)
      assert.equal((await visitor.register()).status, 201)
      this.known.push(email)
    } else assert.equal((await visitor.login()).status, 200)
    if (randomInt(3) === 0) {
      begin()
      assert.equal((await visitor.login()).status, 200)
    }
    if (randomInt(2) === 0) return
    begin()
    assert.equal((await visitor.logout()).status, 204)
  }

  async assertAsAcknowledged({ url }: ServerProcess): Promise<void> {
    assert.deepEqual(await this.ledger.broken(url, COOKIE), [])
  }

  /** Everybody who exists has a profile and can sign in, whether their registration was acknowledged or not. */
  async assertWholeUsers({ url }: ServerProcess, admin: PocketBase): Promise<void> {
    const emails = new Set(await assertNoHalfUsers(admin))
    assert.ok([...emails].every((email) => this.tried.includes(email)))
    assert.ok(this.known.every((email) => emails.has(email)))
    await inParallel([...emails], async (email) => {
      const visitor = new Visitor(new BrowserClient(url), email, this.ledger)
      assert.equal((await visitor.login()).status, 200)
      const account = (await visitor.browser.get('/account')).json() as { readonly profile: object }
      assert.deepEqual(account.profile, { displayName: email, bio: '' })
    })
  }
}

describe('kill -9 of the server under load', () => {
  it(`${KILLS} times loses no acknowledged login, undoes no logout and leaves no half user`, PATIENT, async (t) => {
    const pocketbase = await startPocketBase()
    t.after(() => pocketbase.stop())
    const site = new Site(t, { POCKETBASE_URL: pocketbase.url })
    for (let kill = 0; kill < KILLS; kill += 1) {
      const server = await site.start()
      await site.assertAsAcknowledged(server)
      await site.workAndKill(server, randomInt(1, MAX_REQUESTS))
    }
    const server = await site.start()
    await site.assertAsAcknowledged(server)
    assert.ok(site.ledger.liveCount > KILLS && site.ledger.endedCount > KILLS, 'the load was none')
    await site.assertWholeUsers(server, await pocketbase.admin.client())
    assert.equal((await server.stop('SIGTERM')).code, 0)
  })

  it('takes the PocketBase with it that the server has started, and the next server goes on with its data', async (t) => {
    const site = new Site(t)
    for (let kill = 0; kill < KILLS_WITH_POCKETBASE; kill += 1) {
      const server = await site.start()
      const pid = pocketbasePid(site)
      await site.assertAsAcknowledged(server)
      await site.workAndKill(server, randomInt(1, MAX_REQUESTS))
      // Every second time the next server comes while PocketBase may still be there.
      if (kill % 2 === 0) await untilGone(pid)
    }
    const server = await site.start()
    await site.assertAsAcknowledged(server)
    const superuser = readSuperuser(site.dataDir)
    assert.ok(superuser)
    const url = readStatus(site.dataDir)?.url ?? ''
    await site.assertWholeUsers(server, await signInSuperuser({ url, superuser }))
    const pid = pocketbasePid(site)
    assert.equal((await server.stop('SIGTERM')).code, 0)
    assert.equal(isRunning(pid), false)
  })
})

/** The server was killed while we talked to it, or before. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ECONNRESET' || code === 'ECONNREFUSED' || code === 'EPIPE'
}

function pocketbasePid({ dataDir }: Site): number {
  const pid = readStatus(dataDir)?.pocketbasePid
  assert.ok(pid && isRunning(pid))
  return pid
}

/** Nobody tells us of the end of a process that is not our child. The test's timeout ends the waiting. */
async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await delay(10)
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false // no such process
  }
}
