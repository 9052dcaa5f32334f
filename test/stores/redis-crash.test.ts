// Redis writes a session in several steps, and the process may die between any two of them. What is left is at worst an entry
// without a row: never a row without its entry, never half a session, never a dead session that is live again.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { SessionRecord } from '../../server/sessions/record.ts'
import type { ScanPage, Store } from '../../server/sessions/store.ts'
import { createRedisStore } from '../../server/stores/redis.ts'
import { sampleSession } from '../../server/testing.ts'
import { crashAfter, openStoreAround } from '../support/redis-links.ts'
import { redisPlace, type RedisPlace } from '../support/redis-place.ts'
import { startRedisServer, type RedisServer } from '../support/redis-server.ts'

interface Scene {
  readonly now: number
  readonly signedIn: SessionRecord
  readonly anonymous: SessionRecord
  readonly expired: SessionRecord
  /** Not there yet. */
  readonly next: SessionRecord
}

type Row = ScanPage['sessions'][number]

interface Step {
  readonly what: string
  run(store: Store, scene: Scene): Promise<unknown>
  /** What must be true of the rows, whenever it died. */
  check(rows: ReadonlyMap<string, Row>, scene: Scene, epoch: number): void
}

const USER = 'user0000000ann0'
const DAY = 86_400_000
const MOST_COMMANDS = 200

const steps: readonly Step[] = [
  {
    what: 'a creation',
    run: async (store, { next }) => store.create(next),
    check: (rows, { next }) => assert.ok(isLive(rows.get(next.key)) || !rows.has(next.key)),
  },
  {
    what: 'a rotation',
    run: async (store, { signedIn, next, now }) => store.replace(signedIn.key, next, { ifVersion: 1 }, now),
    check: (rows, { signedIn, next }) => assertReplaced(rows, signedIn, next),
  },
  {
    what: 'a sign-in',
    run: async (store, { anonymous, now }) => store.replace(anonymous.key, signInOf(anonymous), {}, now),
    check: (rows, { anonymous }) => assertReplaced(rows, anonymous, signInOf(anonymous)),
  },
  {
    what: 'a logout',
    run: async (store, { signedIn, now }) => store.end(signedIn.key, 'logout', now),
    check: (rows, { signedIn }) => assert.ok(rows.has(signedIn.key)),
  },
  {
    what: 'an ending of all',
    run: async (store, { now }) => store.endByUser(USER, 'logout_everywhere', now),
    check: (rows, { signedIn }, epoch) =>
      assert.ok(isLive(rows.get(signedIn.key)) || epoch > 0, 'the epoch comes first'),
  },
  {
    what: 'a sweep',
    run: async (store, { now }) => store.deleteExpired(now, 100),
    check: (rows, { signedIn }) => assert.ok(isLive(rows.get(signedIn.key))),
  },
  {
    what: 'a list',
    run: async (store, { now }) => store.listByUser(USER, now),
    check: (rows, { signedIn }) => assert.ok(isLive(rows.get(signedIn.key))),
  },
]

describe('a process that uses Redis dies', () => {
  let server: RedisServer
  before(async () => {
    server = await startRedisServer()
  })
  after(() => server.stop())

  for (const step of steps) {
    test(`between any two commands of ${step.what}`, async () => {
      let commands = 0
      while (await dies(step, commands, redisPlace(server.url))) {
        commands += 1
        assert.ok(commands < MOST_COMMANDS)
      }
      assert.ok(commands > 0, 'it never died')
    })
  }
})

/** Plays the step in a new place by a process that sends only so many commands. False where that was enough. */
async function dies(step: Step, commands: number, place: RedisPlace): Promise<boolean> {
  const scene = makeScene()
  const survivor = await createRedisStore({ url: place.url })
  await survivor.open()
  try {
    for (const record of [scene.signedIn, scene.anonymous, scene.expired]) await survivor.create(record)
    const result = await attempt(place, commands, (store) => step.run(store, scene))
    await checkAfter(step, scene, survivor)
    await assertNothingStays(place, survivor, scene.now + 2 * DAY)
    return result === 'died'
  } finally {
    await survivor.close()
    await place.dispose()
  }
}

async function attempt(place: RedisPlace, commands: number, run: (store: Store) => Promise<unknown>) {
  const crash = crashAfter(commands)
  const store = await openStoreAround(place.url, crash.around)
  try {
    await run(store)
    await store.ping().catch(() => {}) // what nobody waits for has been sent by now
  } catch {
    // The process is gone; what the caller was told does not matter.
  } finally {
    store.close()
  }
  return crash.hasCrashed() ? 'died' : 'done'
}

async function checkAfter(step: Step, scene: Scene, store: Store): Promise<void> {
  const { now } = scene
  const { sessions } = await store.scan(null, 100)
  const rows = new Map(sessions.map((row) => [row.key, row]))
  step.check(rows, scene, await store.epoch(USER))
  const live = sessions.filter((row) => isLive(row) && row.userId === USER && row.expiresAt > now).map(({ key }) => key)
  const listed = (await store.listByUser(USER, now)).map(({ key }) => key)
  assert.deepEqual(listed.toSorted(), live.toSorted(), 'a live session is not in the list of its user')
  assert.equal(await store.endByUser(USER, 'password_reset', now), live.length)
  for (const key of live) assert.equal((await store.find(key, now))?.live, undefined)
}

/** An entry without a row goes when the row could not be live any more. */
async function assertNothingStays(place: RedisPlace, store: Store, later: number): Promise<void> {
  while ((await store.deleteExpired(later, 100)) > 0);
  await store.listByUser(USER, later)
  await store.ping() // behind what the list removes
  const dump = Buffer.from(await place.dump()).toString('latin1')
  assert.deepEqual(dump.match(/\}s:|\{x:|\}rows/g), null, 'something of a session is left for ever')
}

function makeScene(): Scene {
  const now = Date.now()
  const signedIn = sampleSession(now, { userId: USER })
  const anonymous = sampleSession(now, { userId: null })
  const next = sampleSession(now, { userId: USER })
  const expired = sampleSession(now - 2 * DAY, { userId: USER })
  return { now, signedIn, anonymous, expired, next: { ...next, key: successorOf(signedIn, next) } }
}

function signInOf(anonymous: SessionRecord): SessionRecord {
  return {
    ...anonymous,
    userId: USER,
    key: anonymous.key.slice(0, 3) + anonymous.key.slice(3).split('').toReversed().join(''),
  }
}

function successorOf(record: SessionRecord, next: SessionRecord): string {
  return record.key.slice(0, 3) + next.key.slice(3)
}

function assertReplaced(rows: ReadonlyMap<string, Row>, from: SessionRecord, to: SessionRecord): void {
  const [old, next] = [rows.get(from.key), rows.get(to.key)]
  assert.ok(old)
  if (isLive(old)) assert.equal(next, undefined, 'both are there')
  else assert.ok(old.ended?.reason === 'rotated' && isLive(next), 'neither is live')
}

function isLive(row: Row | undefined): boolean {
  return row !== undefined && row.ended === null
}
