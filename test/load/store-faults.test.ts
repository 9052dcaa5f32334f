// A store that fails or hangs under load: every request is answered in time, nobody is taken for anonymous, and what was
// acknowledged is still there when it is over.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import { createFaultyStore, type Fault, type StoreMethod } from '../support/faulty-store.ts'
import { Ledger } from '../support/ledger.ts'
import { notesApp } from '../support/notes-app.ts'
import { newEmail, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { assertRefused } from '../support/refusal.ts'
import { Visitor } from '../support/visitor.ts'
import type { BrowserClient, SeenAnswer } from '../support/browser-client.ts'
import type { Store } from '../../server/sessions/store.ts'

const VISITORS = 24
const ACTIONS = 5
const DEADLINE_MS = 500
const SLACK_MS = 1000

let pocketbase: TestPocketBase
before(async () => {
  pocketbase = await startPocketBase()
})
after(() => pocketbase?.stop())

interface Party {
  readonly app: StartedApp
  readonly ledger: Ledger
  readonly visitors: readonly Visitor[]
}

/** Visitors who are signed in and have written a note, on a store that works so far. */
async function invite(t: TestContext, store: Store): Promise<Party> {
  const app = await startApp({ store, build: notesApp, storeTimeoutMs: DEADLINE_MS, pocketbase: pocketbase.url })
  t.after(() => app.close())
  const ledger = new Ledger()
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(app.browser(), newEmail('guest'), ledger))
  await Promise.all(
    visitors.map(async (visitor) => {
      assert.equal((await visitor.register()).status, 201)
      assert.equal((await visitor.note('first', 'before the fault')).status, 200)
      visitor.browser.answers.length = 0
    }),
  )
  return { app, ledger, visitors }
}

const FAULTS: readonly Fault[] = ['reject', 'hang', 'lose-answer', 'swallow-answer']
const WRITES: readonly StoreMethod[] = ['create', 'update', 'replace', 'end', 'endByUser']

describe('a store that fails under load', () => {
  for (const fault of FAULTS) {
    it(`answers everybody with 503 in time and keeps its word when all its calls ${wordsFor(fault)}`, async (t) => {
      const store = createFaultyStore()
      const party = await invite(t, store)
      store.fault('all', fault)
      await Promise.all(party.visitors.map(actDuring))
      store.heal()
      assert.deepEqual(statuses(party), [503])
      assertInTime(party.visitors.map(({ browser }) => browser))
      await assertRecovered(party)
    })

    it(`refuses what it cannot write, and keeps its word when its writes ${wordsFor(fault)}`, async (t) => {
      const store = createFaultyStore()
      const party = await invite(t, store)
      store.fault(WRITES, fault)
      await Promise.all(party.visitors.map(actDuring))
      store.heal()
      assert.deepEqual(statuses(party), [200, 503])
      assertInTime(party.visitors.map(({ browser }) => browser))
      await assertRecovered(party)
    })
  }

  it('lets nobody wait for the deadlines of others where the counters of wrong passwords hang', async (t) => {
    const store = createFaultyStore()
    const party = await invite(t, store)
    const email = party.visitors[0]?.email ?? ''
    store.fault('hit', 'hang')
    const browsers = party.visitors.map(() => party.app.browser())
    await Promise.all(browsers.map(async (browser) => assertRefused(await browser.login(email, PASSWORD))))
    assertInTime(browsers)
    store.heal()
    await assertRecovered(party)
  })
})

/** What people do, in any order; each answer is honest and comes in time. */
async function actDuring(visitor: Visitor): Promise<void> {
  const { browser } = visitor
  for (let action = 0; action < ACTIONS; action += 1) {
    const wasSignedIn = visitor.isSignedIn
    const success = wasSignedIn ? await actSignedIn(visitor) : { status: 200, answer: await visitor.login() }
    if (success.answer.status !== success.status) assertRefused(success.answer)
    assert.equal((await browser.get('/news')).status, 200)
  }
}

/** Of all answers but those of the page that asks for nothing. */
function statuses({ visitors }: Party): readonly number[] {
  const answers = visitors.flatMap(({ browser }) => browser.answers).filter(({ path }) => path !== '/news')
  return [...new Set(answers.map(({ status }) => status))].toSorted((a, b) => a - b)
}

function wordsFor(fault: Fault): string {
  return String(fault).replace('-', ' the ')
}

function assertInTime(browsers: readonly BrowserClient[]): void {
  for (const { path, tookMs } of browsers.flatMap(({ answers }) => answers)) {
    assert.ok(tookMs < DEADLINE_MS + SLACK_MS, `${path} took ${Math.round(tookMs)} ms`)
  }
}

/** With the status of a success. */
async function actSignedIn(visitor: Visitor): Promise<{ readonly status: number; readonly answer: SeenAnswer }> {
  const { browser } = visitor
  switch (randomInt(7)) {
    case 0:
      return { status: 200, answer: await browser.page('/account') }
    case 1:
      return { status: 200, answer: await browser.get('/auth/status') }
    case 2:
      return { status: 200, answer: await browser.get('/notes') }
    case 3:
      return { status: 204, answer: await visitor.logout() }
    case 4:
      return { status: 200, answer: await visitor.login() }
    default:
      return { status: 200, answer: await visitor.note('during', `${randomInt(1000)}`) }
  }
}

async function assertRecovered({ app, ledger, visitors }: Party): Promise<void> {
  assert.deepEqual(await ledger.broken(app.url, app.services.config.cookie.name), [])
  for (const visitor of visitors) {
    if (visitor.isSignedIn) await visitor.assertNotes()
    else assert.equal((await visitor.login()).status, 200)
    assert.equal((await visitor.note('last', `${randomInt(1000)}`)).status, 200)
    await visitor.assertNotes()
  }
}
