// SIGTERM with a hundred requests under way: each is answered, what was acknowledged is kept, and the exit code is 0.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { it } from 'node:test'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { holdRequest, type HeldAnswer } from '../support/held-request.ts'
import { Ledger } from '../support/ledger.ts'
import { NEW_PASSWORD, newEmail, PASSWORD, sessionCookie } from '../support/people.ts'
import { startPocketBase } from '../support/pocketbase.ts'
import { startServerProcess } from '../support/server-process.ts'
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

it(`finishes ${REQUESTS} requests that are under way and loses nothing`, async (t) => {
  const pocketbase = await startPocketBase()
  t.after(() => pocketbase.stop())
  const cwd = temporaryFolder(t)
  // Each request is noted as the last use of its session.
  const env = { POCKETBASE_URL: pocketbase.url, SESSION_COOKIE_NAME: COOKIE, SESSION_TOUCH_INTERVAL: '0s' }
  const server = await startServerProcess({ cwd, env })
  t.after(() => server.stop('SIGKILL'))
  const ledger = new Ledger()
  const people = await Promise.all(
    Array.from({ length: REQUESTS }, async (_, n): Promise<Person> => {
      const visitor = new Visitor(new BrowserClient(server.url), newEmail('last'), ledger)
      assert.equal((await visitor.register()).status, 201)
      await visitor.browser.csrfToken()
      return { visitor, request: KINDS[n % KINDS.length] ?? 'profile' }
    }),
  )

  const began = Date.now()
  const held = await Promise.all(people.map(hold))
  server.child.kill('SIGTERM')
  await server.printed(/"stopping"/)
  const answers = await Promise.all(held.map((request) => request.finish()))
  assert.equal((await server.ended).code, 0, server.output())

  for (const [n, person] of people.entries()) note(ledger, person, answers[n])
  assert.deepEqual(await lastUses(join(cwd, 'data/sessions.db'), began), [])
  const next = await startServerProcess({ cwd, env })
  t.after(() => next.stop('SIGKILL'))
  assert.deepEqual(await ledger.broken(next.url, COOKIE), [])
  await Promise.all(people.map((person) => assertDone(next.url, person)))
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

/** Live sessions whose last use was before that time. */
async function lastUses(path: string, time: number): Promise<readonly string[]> {
  const store = createSqliteStore({ path })
  await store.open()
  try {
    const { sessions } = await store.scan(null, REQUESTS * 3)
    const live = sessions.filter(({ ended }) => ended === null)
    assert.ok(live.length > REQUESTS / 2)
    return live.filter(({ lastSeenAt }) => lastSeenAt < time).map(({ handle }) => handle)
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
