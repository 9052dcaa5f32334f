// A sign-in that has begun before all sessions of its user are ended, or the password is changed, is never signed in afterwards:
// a thousand races on each store, between two servers that know of each other by the store alone.

import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { after, before, describe, it, type TestContext } from 'node:test'
import { password } from '../../server/controllers/auth/password.ts'
import { SessionGoneError } from '../../server/errors.ts'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'
import type { SessionDraft } from '../../server/sessions/draft.ts'
import type { LiveSession } from '../../server/sessions/live-session.ts'
import type { Store } from '../../server/sessions/store.ts'
import { openStore } from '../../server/stores/open.ts'
import { createClock, type StorePlace } from '../../server/testing.ts'
import { openIdentity, requestWith } from '../support/identity.ts'
import { inParallel } from '../support/ledger.ts'
import { mongoPlace } from '../support/mongo-place.ts'
import { postgresPlace } from '../support/postgres-place.ts'
import { redisPlace } from '../support/redis-place.ts'
import { authenticated } from '../support/scripted-pocketbase.ts'
import { anonymousDraft } from '../support/session-drafts.ts'
import { memoryPlace, sqlitePlace } from '../support/store-places.ts'
import { storeServers, type StoreServer } from '../support/store-servers.ts'

const RACES = 1000
const AT_ONCE = 30
const PATIENCE_MS = 60_000
/** Steps of the store after which the sign-in gets its answer, at most … */
const ANSWER_BY = 4
/** … and after which the ending begins: about as many as the sign-in then takes. */
const END_BY = 14
const clock = createClock()
const TOKEN_EXPIRES_AT = clock.now() + 30 * 86_400_000

describe('a sign-in that races the ending of all sessions', () => {
  it('never survives it, on memory', (t) => race(t, memoryPlace()))
  it('never survives it, on sqlite', (t) => race(t, sqlitePlace()))

  // As SESSION_STORE opens them, with whatever they keep in memory.
  const asServed = (url: string) => openStore(url, { timeoutMs: PATIENCE_MS })
  const places = {
    redis: (url: string) => redisPlace(url, asServed),
    postgres: (url: string) => postgresPlace(url, (schema) => asServed(`${url}?schema=${schema}`)),
    mongo: (url: string) => mongoPlace(url, asServed),
  } as const
  for (const { name, start } of storeServers) {
    describe(`with a ${name} server`, () => {
      let server: StoreServer
      before(async () => {
        server = await start()
      })
      after(() => server?.stop())

      it(`never survives it, on ${name}`, (t) => race(t, places[name](server.url())))
    })
  }
})

async function race(t: TestContext, place: StorePlace): Promise<void> {
  const races = await openRaces(t, place)
  const outcomes = { refused: 0, ended: 0 }
  const run = async (n: number): Promise<void> => {
    outcomes[await races.run(n)] += 1
  }
  await inParallel(
    Array.from({ length: RACES }, (_, n) => n),
    run,
    AT_ONCE,
  )
  t.diagnostic(JSON.stringify(outcomes))
  assert.equal(outcomes.refused + outcomes.ended, RACES)
  // Found by the one who ended all, or told by the epoch.
  assert.ok(outcomes.refused > 0 && outcomes.ended > 0, JSON.stringify(outcomes))
}

async function openRaces(t: TestContext, place: StorePlace) {
  const starts = new Map<string, Start>()
  const connect = async () => {
    const store = await place.connect()
    await store.open()
    t.after(() => store.close())
    const sessions = { store, clock, timeoutMs: PATIENCE_MS }
    return openIdentity({ pocketbase: pocketbase(starts), sessions })
  }
  const [here, there] = [await connect(), await connect()]
  t.after(() => place.dispose?.())
  return {
    /** Answers how the sign-in was stopped. */
    async run(n: number): Promise<'refused' | 'ended'> {
      const userId = `user${n}`
      const start = { asked: Promise.withResolvers<void>(), answer: Promise.withResolvers<void>() }
      starts.set(userId, start)
      const home = await here.sessions.create(draftOf(userId))
      const before = await sessionBefore(there, userId, n)
      const signingIn = there.identity
        .signIn(requestWith(before, `${LATE_NET}${n % 250}`), { identity: userId, password: 'old' })
        .catch(superseded)
      await start.asked.promise
      // From here on the sign-in has begun. Some races are decided beforehand, so that both ways to lose are taken.
      if (n % 10 === 0) start.answer.resolve()
      if (n % 10 === 0) await signingIn
      if (n % 10 > 1) void later(there.store, ANSWER_BY).then(start.answer.resolve)
      await later(here.store, END_BY)
      const kept = n % 4 === 0 ? await changePassword(here, home, n) : await endAll(here, home, n)
      start.answer.resolve()
      const late = await signingIn
      const live = (await here.sessions.listByUser(userId)).map(({ handle }) => handle)
      assert.deepEqual(live, kept, `race ${n}: somebody is signed in`)
      if (late === 'refused') return 'refused'
      assert.ok((await here.sessions.find(late.id))?.ended, `race ${n}: the sign-in survived`)
      return 'ended'
    },
  }
}

type Node = Awaited<ReturnType<typeof openIdentity>>

interface Start {
  readonly asked: PromiseWithResolvers<void>
  readonly answer: PromiseWithResolvers<void>
}

/** Addresses of those who sign in late. */
const LATE_NET = '198.51.100.'

/** Knows everybody; whoever signs in late waits until they are let go, and had the right password when they asked. */
function pocketbase(starts: ReadonlyMap<string, Start>): Partial<PocketBasePort> {
  return {
    async authWithPassword({ identity: id }, { ip }) {
      if (ip.startsWith(LATE_NET)) {
        starts.get(id)?.asked.resolve()
        await starts.get(id)?.answer.promise
      }
      return { ...authenticated('a.b.c', { id, email: id }), expiresAt: TOKEN_EXPIRES_AT }
    },
    changePassword: async () => ({ kind: 'ok', value: undefined }),
  }
}

/** Everybody signs in with their id. */
function draftOf(userId: string): SessionDraft {
  const user = { id: userId, email: userId, collectionId: 'c', collectionName: 'users' }
  const signedIn = { user, token: 'a.b.c', tokenExpiresAt: TOKEN_EXPIRES_AT, collection: 'users', amr: ['pwd'] }
  return anonymousDraft({ signedIn })
}

/** What the browser had that signs in: nothing, an anonymous session, a session of the same user. */
async function sessionBefore({ sessions }: Node, userId: string, n: number): Promise<LiveSession | null> {
  if (n % 3 === 0) return null
  return sessions.create(n % 3 === 1 ? anonymousDraft() : draftOf(userId))
}

/** Answers the handles of the sessions that may live on. */
async function endAll({ identity }: Node, home: LiveSession, n: number): Promise<readonly string[]> {
  await identity.signOutEverywhere(requestWith(home, address(n)))
  return []
}

async function changePassword({ services }: Node, home: LiveSession, n: number): Promise<readonly string[]> {
  const session = requestWith(home, address(n))
  const body = { currentPassword: 'old', password: 'new staple', passwordConfirm: 'new staple' }
  await password({ services, session, body, params: {}, query: {}, form: false })
  return [session.session?.record.handle ?? '']
}

function address(n: number): string {
  return `203.0.113.${n % 250}`
}

/** Fewer than so many steps of the store later. One that answers at once takes a few turns of the promises instead. */
async function later(store: Store, steps: number): Promise<void> {
  for (let left = randomInt(steps); left > 0; left -= 1) {
    await store.ping()
    for (let turn = 0; turn < 3; turn += 1) await Promise.resolve()
  }
}

function superseded(error: unknown): 'refused' {
  assert.ok(error instanceof SessionGoneError, String(error))
  assert.equal(error.reason, 'superseded')
  return 'refused'
}
