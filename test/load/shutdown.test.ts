// SIGTERM with a hundred requests under way: each is answered, what was acknowledged is kept, and the exit code is 0.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { holdRequest, type HeldAnswer, type HeldRequest } from '../support/held-request.ts'
import { Ledger } from '../support/ledger.ts'
import { NEW_PASSWORD, newEmail, PASSWORD, sessionCookie } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { startServerProcess, type ServerProcess } from '../support/server-process.ts'
import { temporaryFolder } from '../support/stores.ts'
import { Visitor } from '../support/visitor.ts'

const REQUESTS = 100
const COOKIE = 'session'

interface Person {
  readonly visitor: Visitor
  readonly request: 'profile' | 'login' | 'password' | 'logout'
}

const KINDS = ['profile', 'login', 'password', 'logout', 'profile'] as const
const NEW_NAME = 'At the end'

let pocketbase: TestPocketBase
before(async () => {
  pocketbase = await startPocketBase()
})
after(() => pocketbase?.stop())

interface Place {
  readonly server: ServerProcess
  readonly database: string
  /** The next server on the same data. */
  startAgain(): Promise<ServerProcess>
}

async function open(t: TestContext): Promise<Place> {
  const cwd = temporaryFolder(t)
  // Each request is noted as the last use of its session.
  const env = { POCKETBASE_URL: pocketbase.url, SESSION_COOKIE_NAME: COOKIE, SESSION_TOUCH_INTERVAL: '0s' }
  const start = async (): Promise<ServerProcess> => {
    const server = await startServerProcess({ cwd, env })
    t.after(() => server.stop('SIGKILL'))
    return server
  }
  return { server: await start(), database: join(cwd, 'data/sessions.db'), startAgain: start }
}

async function invite(url: string, ledger: Ledger): Promise<Visitor> {
  const visitor = new Visitor(new BrowserClient(url), newEmail('last'), ledger)
  assert.equal((await visitor.register()).status, 201)
  await visitor.browser.csrfToken()
  return visitor
}

async function finishWhileStopping(
  server: ServerProcess,
  held: readonly HeldRequest[],
): Promise<readonly HeldAnswer[]> {
  server.child.kill('SIGTERM')
  await server.printed(/"stopping"/)
  const answers = await Promise.all(held.map((request) => request.finish()))
  assert.equal((await server.ended).code, 0, server.output())
  return answers
}

describe('SIGTERM', () => {
  it(`lets ${REQUESTS} requests finish that are under way, and nothing acknowledged is lost`, async (t) => {
    const { server, startAgain } = await open(t)
    const ledger = new Ledger()
    const people = await Promise.all(
      Array.from({ length: REQUESTS }, async (_, n): Promise<Person> => {
        return { visitor: await invite(server.url, ledger), request: KINDS[n % KINDS.length] ?? 'profile' }
      }),
    )
    const answers = await finishWhileStopping(server, await Promise.all(people.map(hold)))
    for (const [n, person] of people.entries()) note(ledger, person, answers[n])
    const next = await startAgain()
    assert.deepEqual(await ledger.broken(next.url, COOKIE), [])
    await Promise.all(people.map((person) => assertDone(next.url, person)))
  })

  it('leaves no last use of a session unwritten', async (t) => {
    const { server, database } = await open(t)
    const visitor = await invite(server.url, new Ledger())
    const began = Date.now()
    const held = await hold({ visitor, request: 'profile' })
    await finishWhileStopping(server, [held])
    const [lastUse] = await lastUses(database)
    assert.ok(lastUse !== undefined && lastUse >= began, `${lastUse} is before ${began}`)
  })
})

function hold({ visitor: { browser, email }, request }: Person) {
  const passwords = { currentPassword: PASSWORD, password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
  if (request === 'profile') {
    return holdRequest(browser, '/auth/profile', { method: 'PATCH', body: { displayName: NEW_NAME } })
  }
  if (request === 'login') return holdRequest(browser, '/auth/login', { body: { identity: email, password: PASSWORD } })
  return holdRequest(browser, `/auth/${request}`, { body: request === 'password' ? passwords : {} })
}

function note(ledger: Ledger, { visitor, request }: Person, answer: HeldAnswer | undefined): void {
  const { email, browser } = visitor
  assert.equal(answer?.status, { profile: 200, login: 200, password: 204, logout: 204 }[request], answer?.text)
  if (request === 'profile') return
  const before = sessionCookie(browser)
  ledger.uncertain(before)
  ledger.ended(before)
  const [pair = ''] = answer?.cookies.find((line) => line.startsWith(`${COOKIE}=`))?.split(';') ?? []
  const value = pair.slice(COOKIE.length + 1)
  assert.equal(value === '', request === 'logout')
  if (value !== '') ledger.live(value, email)
}

async function lastUses(path: string): Promise<readonly number[]> {
  const store = createSqliteStore({ path })
  await store.open()
  try {
    const { sessions } = await store.scan(null, REQUESTS)
    return sessions.map(({ lastSeenAt }) => lastSeenAt)
  } finally {
    await store.close()
  }
}

async function assertDone(url: string, { visitor: { email }, request }: Person): Promise<void> {
  const browser = new BrowserClient(url)
  const answer = await browser.login(email, request === 'password' ? NEW_PASSWORD : PASSWORD)
  assert.equal(answer.status, 200, answer.text)
  const { profile } = (await browser.get('/account')).json() as { readonly profile: { readonly displayName: string } }
  assert.equal(profile.displayName, request === 'profile' ? NEW_NAME : email)
}
