// Two hundred people from one address at once: each sees their own data only, and everything they were told stays true.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createSqliteStore } from '../../server/stores/sqlite.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { BusyUser } from '../support/busy-user.ts'
import { notesApp } from '../support/notes-app.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { temporaryFolder } from '../support/stores.ts'
import type { Store } from '../../server/sessions/store.ts'

const USERS = 200
/** What is checked is behaviour, on however slow a machine. */
const PATIENCE_MS = 60_000
const REVALIDATE_AFTER_MS = 61_000
/** Longer than every session. */
const TOKEN_SECONDS = 31 * 86_400

let pocketbase: TestPocketBase
before(async () => {
  pocketbase = await startPocketBase({ tokenSeconds: TOKEN_SECONDS })
})
after(() => pocketbase?.stop())

const STORES: readonly { readonly name: string; open(t: TestContext): Store }[] = [
  { name: 'sqlite', open: (t) => createSqliteStore({ path: `${temporaryFolder(t)}/sessions.db` }) },
  { name: 'slow', open: () => createFaultyStore() },
]

describe(`${USERS} users at once`, () => {
  for (const { name, open } of STORES) {
    it(`see nobody else's data and lose nothing that was acknowledged, on a ${name} store`, async (t) => {
      const app = await startBusyApp(t, open(t))
      const users = Array.from({ length: USERS }, (_, n) => new BusyUser(app, n, name))

      await Promise.all(users.map((user) => user.register()))
      await Promise.all(users.map((user) => user.work()))
      app.clock.advance(REVALIDATE_AFTER_MS)
      await Promise.all(users.map((user) => user.work()))
      await Promise.all(users.map((user) => user.change()))
      await Promise.all(users.map((user) => user.work()))

      for (const user of users) await user.assertAsAcknowledged()
      assertOwnData(users)
      await assertProfiles(users)
      assertNoErrors(app)
    })
  }
})

async function startBusyApp(t: TestContext, store: Store): Promise<StartedApp> {
  const app = await startApp({
    store,
    build: notesApp,
    storeTimeoutMs: PATIENCE_MS,
    pocketbase: {
      url: pocketbase.url,
      timeoutMs: PATIENCE_MS,
      loginTimeoutMs: PATIENCE_MS,
      // Nobody queues, since a queue of more than 20 s is refused.
      concurrentLogins: USERS,
    },
  })
  t.after(() => app.close())
  return app
}

/** Looks through every answer of the run for what belongs to somebody else than who asked. */
function assertOwnData(users: readonly BusyUser[]): void {
  const owners = new Map(users.flatMap((user) => user.marks().map((mark) => [mark, user] as const)))
  let seen = 0
  for (const user of users) {
    for (const answer of user.answers()) {
      const text = JSON.stringify(answer.headers) + answer.text
      for (const word of text.match(/[\w.%@-]+/g) ?? []) {
        const owner = owners.get(word)
        if (owner !== undefined) assert.equal(owner.email, user.email, `${answer.method} ${answer.path}`)
        if (owner === user) seen += 1
      }
    }
  }
  assert.ok(seen > USERS * 10, 'the marks were looked for, and found')
  assertOwnCookies(users)
}

function assertOwnCookies(users: readonly BusyUser[]): void {
  const owners = new Map<string, string>()
  for (const user of users) {
    for (const line of user.answers().flatMap(({ cookies }) => cookies)) {
      const pair = line.split(';')[0] ?? ''
      if (pair.endsWith('=')) continue // cleared
      assert.equal(owners.get(pair) ?? user.email, user.email, 'a cookie went to two users')
      owners.set(pair, user.email)
    }
  }
}

/** What PocketBase holds in the end is what each user was told last. */
async function assertProfiles(users: readonly BusyUser[]): Promise<void> {
  const admin = await pocketbase.admin.client()
  const names = new Map<string, unknown>()
  for (const profile of await admin.collection('profiles').getFullList()) {
    names.set(String(profile['user']), profile['displayName'])
  }
  for (const user of users) assert.equal(names.get(user.id), user.displayName)
}

function assertNoErrors(app: StartedApp): void {
  const WARNING = 40
  const bad = app.logs.filter((line) => {
    const { level, event } = JSON.parse(line) as { readonly level: number; readonly event?: string }
    return level >= WARNING && event !== 'excess_sessions_exceeded'
  })
  assert.deepEqual(bad, [])
}
