// Moving to another store while people work: nobody is logged out, and nobody who signed out comes back.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { main } from '../../server/cli/main.ts'
import type { EndReason } from '../../server/sessions/reasons.ts'
import type { Sessions } from '../../server/sessions/manager.ts'
import type { LiveSession } from '../../server/sessions/live-session.ts'
import type { SessionDraft } from '../../server/sessions/draft.ts'
import { openStore } from '../../server/stores/open.ts'
import { createClock, type TestClock } from '../../server/testing.ts'
import { inParallel } from '../support/ledger.ts'
import { mongoPlace } from '../support/mongo-place.ts'
import { postgresPlace } from '../support/postgres-place.ts'
import { redisPlace } from '../support/redis-place.ts'
import { anonymousDraft } from '../support/session-drafts.ts'
import { openSessions } from '../support/sessions.ts'
import { storeServers, type StoreServer } from '../support/store-servers.ts'
import { temporaryFolder } from '../support/stores.ts'

const USERS = 30
const DEVICES = 4
const PATIENCE_MS = 60_000
const DAY_MS = 86_400_000
const HOUR_MS = DAY_MS / 24

type StoreName = 'sqlite' | 'redis' | 'postgres' | 'mongo'

const servers = new Map<StoreName, StoreServer>()
before(async () => {
  for (const { name, start } of storeServers) servers.set(name, await start())
})
after(async () => {
  for (const server of servers.values()) await server.stop()
})

describe('a move to another store', () => {
  const moves = [
    ['sqlite', 'redis'],
    ['redis', 'postgres'],
    ['postgres', 'mongo'],
    ['mongo', 'sqlite'],
  ] as const
  for (const [from, to] of moves) {
    it(`from ${from} to ${to} keeps everybody signed in who was, and nobody else`, async (t) => {
      const [source, target] = [newPlace(t, from), newPlace(t, to)]
      const clock = createClock()
      const before = await open(source, clock)
      const known = await signInAll(before.sessions)
      await endSome(before.sessions, known.slice(0, 15), 'logout')

      assert.equal(
        await copy(t, source, target),
        `Read ${known.length} sessions, of which 15 ended; wrote ${known.length}.`,
      )
      clock.advance(60_000)
      await goOn(before.sessions, known)
      const epoch = await before.sessions.epoch()
      // The servers stop.
      await before.close()

      await copy(t, source, target)
      assert.match(await copy(t, source, target), /; wrote 0\.$/)
      const afterwards = await open(target, clock)
      assert.equal(await afterwards.sessions.epoch(), epoch)
      for (const each of known) await assertAsBefore(afterwards.sessions, each)
      await assertLists(afterwards.sessions, known)
      assert.equal(await afterwards.sessions.claim('held', HOUR_MS), false, 'a claim was lost')
      // What was moved can be worked with and ended like any other.
      const [first] = known.filter(({ reason }) => reason === null)
      assert.ok(first)
      assert.ok((await afterwards.sessions.endByUser(first.userId, 'logout_everywhere')) > 0)
      assert.ok((await afterwards.sessions.find(first.id))?.ended)
      assert.equal(await afterwards.sessions.epoch(first.userId), epoch + 1)
      await afterwards.close()
    })
  }

  it('onto itself is refused, also where the same server goes by two names', async (t) => {
    const redis = servers.get('redis')
    assert.ok(redis)
    const io = { cwd: temporaryFolder(t), env: {}, print() {}, error: (text: string) => void errors.push(text) }
    const errors: string[] = []
    const urls = ['--from', redis.url(), '--to', `redis://localhost:${redis.port}/0`]
    assert.equal(await main(['sessions', 'copy', ...urls], io), 1)
    assert.match(errors.join(), /are the same store/)
  })
})

/** A session that a test has made, and what it must be in the end. */
interface Known {
  id: string
  readonly userId: string
  data: Record<string, unknown>
  /** Why it has ended; `null` for those who are signed in. */
  reason: EndReason | null
}

function newPlace(t: TestContext, name: StoreName): string {
  if (name === 'sqlite') return `sqlite:${temporaryFolder(t)}/sessions.db`
  const server = servers.get(name)
  assert.ok(server)
  if (name === 'postgres') {
    const { schema, dispose } = postgresPlace(server.url())
    t.after(dispose)
    return `${server.url()}?schema=${schema}`
  }
  const { url, dispose } = name === 'redis' ? redisPlace(server.url()) : mongoPlace(server.url())
  t.after(dispose)
  return url
}

/** A server on the store. All have one secret. */
async function open(url: string, clock: TestClock) {
  const store = await openStore(url, { timeoutMs: PATIENCE_MS })
  await store.open()
  const { sessions } = await openSessions({ store, clock, timeoutMs: PATIENCE_MS, policy: { maxPerUser: 100 } })
  const close = async (): Promise<void> => {
    await sessions.flush()
    await store.close()
  }
  return { sessions, close }
}

/** Answers the first line that it printed. */
async function copy(t: TestContext, from: string, to: string): Promise<string> {
  const printed: string[] = []
  const errors: string[] = []
  const io = {
    cwd: temporaryFolder(t),
    env: {},
    print: (text: string) => void printed.push(text),
    error: (text: string) => void errors.push(text),
  }
  assert.equal(await main(['sessions', 'copy', '--from', from, '--to', to], io), 0, errors.join('\n'))
  return printed[0] ?? ''
}

async function signInAll(sessions: Sessions): Promise<Known[]> {
  const known: Known[] = []
  for (let n = 0; n < USERS * DEVICES; n += 1) {
    known.push(await signIn(sessions, `user${n % USERS}`, { cart: [`tea ${n}`], note: 'a' }))
  }
  return known
}

async function signIn(sessions: Sessions, userId: string, data: Record<string, unknown>): Promise<Known> {
  const live = await sessions.create(draftOf(userId, data))
  return { id: live.id, userId, data, reason: null }
}

function draftOf(userId: string, data: Record<string, unknown>): SessionDraft {
  const user = { id: userId, email: `${userId}@example.com`, collectionId: 'c', collectionName: 'users' }
  const tokenExpiresAt = Date.now() + 30 * DAY_MS
  return anonymousDraft({ data, signedIn: { user, token: 'a.b.c', tokenExpiresAt, collection: 'users', amr: ['pwd'] } })
}

/** Whatever happens to sessions between the two copies. */
async function goOn(sessions: Sessions, known: Known[]): Promise<void> {
  const live = known.filter(({ reason }) => reason === null)
  await endSome(sessions, live.slice(0, 15), 'logout')
  await endSome(sessions, live.slice(15, 20), 'revoked')
  const [one] = live.slice(20)
  assert.ok(one)
  await sessions.endByUser(one.userId, 'logout_everywhere')
  for (const each of known) if (each.userId === one.userId) each.reason ??= 'logout_everywhere'
  await sessions.endByUser('somebody without sessions', 'password_reset')

  const rest = live.filter(({ reason }) => reason === null)
  for (const each of rest.slice(0, 10)) await write(sessions, each)
  await inParallel(rest.slice(5, 15), (each) => rotate(sessions, known, each))
  for (const each of rest.slice(15, 25)) sessions.touch(await find(sessions, each.id))
  const newcomers = Array.from({ length: 10 }, (_, n) => `user${n}`)
  for (const userId of newcomers) known.push(await signIn(sessions, userId, { new: true }))
  assert.equal(await sessions.claim('held', HOUR_MS), true)
}

async function endSome(sessions: Sessions, some: readonly Known[], reason: EndReason): Promise<void> {
  await inParallel(some, async (each) => {
    assert.equal(await sessions.end(await find(sessions, each.id), reason), 1)
    each.reason = reason
  })
}

async function write(sessions: Sessions, each: Known): Promise<void> {
  const live = await find(sessions, each.id)
  assert.equal(await sessions.update(live, { set: { 'data:note': 'b', 'data:more': [1] }, unset: ['data:cart'] }), 'ok')
  each.data = { note: 'b', more: [1] }
}

/** The old id is dead, the new one is known instead. */
async function rotate(sessions: Sessions, known: Known[], each: Known): Promise<void> {
  const next = await sessions.replace(await find(sessions, each.id), (current) => draftOf(each.userId, current.data()))
  assert.ok(next !== 'gone')
  known.push({ ...each, reason: 'rotated' })
  each.id = next.id
}

async function find(sessions: Sessions, id: string): Promise<LiveSession> {
  const found = await sessions.find(id)
  assert.ok(found?.live)
  return found.live
}

async function assertAsBefore(sessions: Sessions, { id, userId, data, reason }: Known): Promise<void> {
  const found = await sessions.find(id)
  assert.equal(found?.ended?.reason ?? null, reason)
  if (found?.live === undefined) return
  // Opened with the same secret: the sealed bytes have come over as they were.
  assert.equal(found.live.user()?.id, userId)
  assert.equal(found.live.token(), 'a.b.c')
  assert.deepEqual({ ...found.live.data() }, data)
}

async function assertLists(sessions: Sessions, known: readonly Known[]): Promise<void> {
  for (const userId of new Set(known.map((each) => each.userId))) {
    const expected = known.filter((each) => each.userId === userId && each.reason === null)
    assert.equal((await sessions.listByUser(userId)).length, expected.length)
  }
}
