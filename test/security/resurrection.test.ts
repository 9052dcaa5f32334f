// A slow request still runs when its session is ended. Nothing it does later may bring the session back, and its answer may
// neither clear nor overwrite the cookie of a session that began meanwhile.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import express, { type Express, type Request } from 'express'
import { createApp } from '../../server/app.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import { startApp, TEST_SECRET, type StartedApp } from '../support/app.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { newPerson, PASSWORD, sessionCookie, stateOf, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { fieldsOf, gate } from '../support/session-sites.ts'
import { assertOpensNothing, speaksOfSession, stealCookies } from '../support/stolen-cookies.ts'
import { sessionStores } from '../support/stores.ts'

type Gate = ReturnType<typeof gate>
type Work = (req: Request, waiting: Gate, auth: Auth) => Promise<void>

type Callback = (error?: Error | null) => void

const saved = (req: Request): Promise<void> => promisify((done: Callback) => req.session.save(done))()

const regenerated = (req: Request): Promise<void> => promisify((done: Callback) => req.session.regenerate(done))()

/** What a handler may do around the moment at which its session ends. */
const slowWork: Readonly<Record<string, Work>> = {
  'changes a field afterwards': async (req, waiting) => {
    await waiting.arrive()
    fieldsOf(req)['seen'] = 1
  },
  'has changed a field before': async (req, waiting) => {
    fieldsOf(req)['seen'] = 1
    await waiting.arrive()
  },
  'saves by itself afterwards': async (req, waiting) => {
    fieldsOf(req)['seen'] = 1
    await waiting.arrive()
    await saved(req)
  },
  'gives the session a new id afterwards': async (req, waiting) => {
    fieldsOf(req)['seen'] = 1
    await waiting.arrive()
    await regenerated(req)
    fieldsOf(req)['seen'] = 2
  },
  'counts afterwards': async (req, waiting, auth) => {
    await waiting.arrive()
    await auth.updateSession<number>(req, 'views', (views = 0) => views + 1)
  },
  'gives the cookie another lifetime afterwards': async (req, waiting) => {
    await waiting.arrive()
    req.session.cookie.maxAge = 60_000
  },
}

/** Work that writes nothing, or only what does not matter: its answer may come, but says nothing about the cookie. */
const harmlessWork: Readonly<Record<string, Work>> = {
  'only reads': async (req, waiting) => {
    await waiting.arrive()
    assert.notEqual(req.user, undefined)
  },
  'touches the session': async (req, waiting) => {
    const { session } = req
    await waiting.arrive()
    session.touch()
  },
  'destroys the session': async (req, waiting) => {
    const { session } = req
    await waiting.arrive()
    await new Promise<void>((resolve) => session.destroy(() => resolve()))
  },
  'signs out': async (req, waiting, auth) => {
    await waiting.arrive()
    await auth.signOut(req)
  },
}

const endings: Readonly<Record<string, (person: Person) => Promise<unknown>>> = {
  logout: ({ browser }) => browser.json('/auth/logout'),
  logout_everywhere: ({ browser }) => browser.json('/auth/logout-everywhere'),
  rotated: ({ browser, email }) => browser.login(email, PASSWORD),
}

let pocketbase: TestPocketBase

before(async () => {
  pocketbase = await startPocketBase()
})

after(() => pocketbase?.stop())

/** The complete app, and a handler that waits at the gate of the test. */
function withSlowHandler(current: { work: Work; waiting: Gate }) {
  return (auth: Auth, services: OwnedServices): Express => {
    const app = express()
    app.use(auth.session())
    app.get('/slow', async (req, res) => {
      await current.work(req, current.waiting, auth)
      res.json({ done: true })
    })
    app.use(createApp(services))
    app.use(auth.errorHandler())
    return app
  }
}

/** Asks for the slow handler from a browser that does not take the answer's cookies, and ends its session meanwhile. */
async function raceWith(
  { waiting, end }: { readonly waiting: Gate; readonly end: () => Promise<unknown> },
  thief: BrowserClient,
) {
  const answer = thief.get('/slow')
  await waiting.arrived(1)
  await end()
  waiting.open()
  return answer
}

for (const store of sessionStores) {
  describe(`a session that ends under a slow request stays dead, on ${store.name}`, () => {
    const current = { work: (): Promise<void> => Promise.resolve(), waiting: gate() } as { work: Work; waiting: Gate }
    const cleaning: (() => unknown)[] = []
    let app: StartedApp

    before(async () => {
      // The store is opened as for a test, and goes with the suite.
      const opened = await store.open({ after: (clean: () => unknown) => cleaning.push(clean) } as never)
      const build = withSlowHandler(current)
      app = await startApp({ pocketbase: pocketbase.url, store: opened, build })
    })
    after(async () => {
      await app?.close()
      for (const clean of cleaning.toReversed()) await clean()
    })

    for (const [reason, end] of Object.entries(endings)) {
      for (const [what, work] of Object.entries(slowWork)) {
        it(`${reason}, while a handler ${what}`, async () => {
          Object.assign(current, { work, waiting: gate() })
          const person = await newPerson(app)
          const thief = stealCookies(app, person.browser)
          const answer = await raceWith({ waiting: current.waiting, end: () => end(person) }, thief)
          assert.deepEqual([answer.status, answer.json()['code']], [401, 'session_expired'])
          assert.equal(speaksOfSession(app, answer), false)
          await assertOpensNothing(app, thief, reason)
        })
      }
      for (const [what, work] of Object.entries(harmlessWork)) {
        it(`${reason}, while a handler ${what}`, async () => {
          Object.assign(current, { work, waiting: gate() })
          const person = await newPerson(app)
          const thief = stealCookies(app, person.browser)
          const answer = await raceWith({ waiting: current.waiting, end: () => end(person) }, thief)
          assert.equal(speaksOfSession(app, answer), false)
          await assertOpensNothing(app, thief, reason)
          if (reason === 'rotated') assert.equal(await stateOf(person.browser), 'signed in')
        })
      }
    }

    it('while PocketBase renews its token', async () => {
      const person = await newPerson(app)
      const thief = stealCookies(app, person.browser)
      await person.browser.csrfToken()
      app.clock.advance(60_000)
      const renewing = Array.from({ length: 5 }, () => thief.get('/auth/sessions'))
      await person.browser.json('/auth/logout')
      for (const answer of await Promise.all(renewing)) assert.equal(speaksOfSession(app, answer), false)
      await assertOpensNothing(app, thief, 'logout')
    })
  })
}

describe('a late answer', () => {
  it('does not bring back the cookie of an older secret when the browser has signed in anew meanwhile', async (t) => {
    const newest = `newest-${TEST_SECRET}`
    const [memory] = sessionStores
    const shared = await memory?.open(t)
    const older = await startApp({ pocketbase: pocketbase.url, ...(shared && { store: shared }) })
    const waiting = gate()
    const current = { waiting, work: harmlessWork['only reads'] ?? (() => Promise.resolve()) }
    const app = await startApp({
      pocketbase: pocketbase.url,
      secret: [newest, TEST_SECRET],
      ...(shared && { store: shared }),
      cookie: { name: older.services.config.cookie.name },
      build: withSlowHandler(current),
    })
    try {
      const { browser: before, email } = await newPerson(older)
      const victim = stealCookies(app, before)
      const late = stealCookies(app, before)
      const answer = await raceWith({ waiting, end: () => victim.login(email, PASSWORD) }, late)
      assert.deepEqual([answer.status, speaksOfSession(app, answer)], [200, false])
      assert.notEqual(sessionCookie(victim), sessionCookie(before))
      assert.equal(await stateOf(victim), 'signed in')
    } finally {
      await app.close()
      await older.close()
    }
  })
})

describe('a sign-in that is under way when its user signs out everywhere', () => {
  it('makes no session: who signs out must win, whoever else knows the password', async () => {
    const store = createFaultyStore(undefined, { delayMs: 0 })
    const app = await startApp({ pocketbase: pocketbase.url, store })
    try {
      const { browser, email, userId } = await newPerson(app)
      const thief = app.browser()
      await Promise.all([browser.csrfToken(), thief.csrfToken()])
      const looked = store.calls.epoch
      await pocketbase.pause()
      const signingIn = thief.login(email, PASSWORD)
      // The sign-in has looked at the store, and waits for PocketBase.
      while (store.calls.epoch === looked) await nextTurn()
      assert.equal((await browser.json('/auth/logout-everywhere')).status, 200)
      pocketbase.resume()
      const answer = await signingIn
      assert.deepEqual([answer.status, answer.json()['reason']], [401, 'superseded'])
      assert.equal(speaksOfSession(app, answer), false)
      assert.deepEqual(await app.services.sessions.listByUser(userId), [])
    } finally {
      pocketbase.resume()
      await app.close()
    }
  })
})
