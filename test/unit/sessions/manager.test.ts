import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { StoreUnavailableError } from '../../../server/errors.ts'
import type { LiveSession } from '../../../server/sessions/live-session.ts'
import { anonymousDraft, HOUR, signedInDraft } from '../../support/session-drafts.ts'
import { openSessions, SECRET, type OpenSessionsOptions } from '../../support/sessions.ts'
import { sessionStores } from '../../support/stores.ts'

const NEW_SECRET = 'n'.repeat(40)

for (const { name, open } of sessionStores) {
  describe(`sessions on ${name}`, () => {
    const setUp = async (t: TestContext, options: OpenSessionsOptions = {}) => {
      const store = await open(t)
      return openSessions({ store, ...options })
    }

    test('finds a session by the id of its cookie only', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(signedInDraft())
      assert.equal((await sessions.find(session.id))?.live?.record.handle, session.record.handle)
      assert.equal(await sessions.find(`${session.id.slice(0, -1)}${session.id.endsWith('A') ? 'B' : 'A'}`), undefined)
      assert.equal(await sessions.find(session.record.key), undefined)
    })

    test('keeps a dead session dead, whatever a slow request does afterwards', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(signedInDraft())
      const slow = (await sessions.find(session.id))?.live as LiveSession
      assert.equal(await sessions.end(session, 'logout'), 1)
      assert.equal(await sessions.update(slow, { set: { 'data:x': 1 } }), 'gone')
      assert.equal(await sessions.replace(slow, () => signedInDraft()), 'gone')
      assert.equal(await sessions.updateField(slow, 'data:n', () => 1), 'gone')
      assert.equal(await sessions.end(slow, 'revoked'), 0)
      assert.equal((await sessions.find(session.id))?.ended?.reason, 'logout')
      assert.equal((await sessions.listByUser('user00000000001')).length, 0)
    })

    test('keeps all of 100 parallel changes of different fields', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(anonymousDraft())
      await Promise.all(
        Array.from({ length: 100 }, async (_, i) => {
          const mine = (await sessions.find(session.id))?.live as LiveSession
          assert.equal(await sessions.update(mine, { set: { [`data:f${i}`]: i } }), 'ok')
        }),
      )
      const data = (await sessions.find(session.id))?.live?.data() ?? {}
      assert.equal(Object.keys(data).length, 100)
    })

    test('loses no acknowledged change while the session gets a new id', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(anonymousDraft())
      const acknowledged: string[] = []
      const write = async (i: number): Promise<void> => {
        const mine = (await sessions.find(session.id))?.live
        if (mine === undefined) return
        if ((await sessions.update(mine, { set: { [`data:f${i}`]: i } })) === 'ok') acknowledged.push(`f${i}`)
      }
      const carry = (current: LiveSession) => anonymousDraft({ data: current.data() })
      const writers = Array.from({ length: 20 }, (_, i) => write(i))
      const replaced = await Promise.resolve(sessions.replace(session, carry)).catch((error: unknown) => {
        assert.ok(error instanceof StoreUnavailableError) // five conflicts in a row: the old session goes on
        return session
      })
      await Promise.all(writers)
      assert.notEqual(replaced, 'gone')
      const after = (await sessions.find((replaced as LiveSession).id))?.live?.data() ?? {}
      for (const field of acknowledged) assert.ok(field in after, field)
    })

    test('carries the changes of others into a new id, also after a write of its own', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(anonymousDraft())
      const [mine, other] = [(await sessions.find(session.id))?.live, (await sessions.find(session.id))?.live]
      assert.ok(mine !== undefined && other !== undefined)
      await sessions.update(other, { set: { 'data:b': 2 } })
      await sessions.update(mine, { set: { 'data:a': 1 } })
      const next = await sessions.replace(mine, (current) => anonymousDraft({ data: current.data() }))
      assert.ok(next !== 'gone')
      assert.deepEqual({ ...next.data() }, { a: 1, b: 2 })
    })

    test('counts right with parallel counters', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(anonymousDraft())
      const add = (value: unknown): number => (typeof value === 'number' ? value + 1 : 1)
      await Promise.all(Array.from({ length: 20 }, () => sessions.updateField(session, 'data:n', add)))
      assert.equal((await sessions.find(session.id))?.live?.read('data:n'), 20)
    })

    test('has one winner when a session is replaced twice at once', async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(anonymousDraft())
      const results = await Promise.all([1, 2, 3].map(async () => sessions.replace(session, () => anonymousDraft())))
      assert.equal(results.filter((result) => result !== 'gone').length, 1)
      assert.equal((await sessions.find(session.id))?.ended?.reason, 'rotated')
    })

    test('ends an idle session, and one past its absolute deadline, with the reason', async (t) => {
      const { sessions, clock } = await setUp(t)
      const idle = await sessions.create(signedInDraft())
      clock.advance(2 * HOUR)
      assert.equal((await sessions.find(idle.id))?.ended?.reason, 'idle_timeout')

      const busy = await sessions.create(signedInDraft())
      for (let hour = 1; hour < 24; hour++) {
        clock.advance(HOUR)
        const found = (await sessions.find(busy.id))?.live
        assert.ok(found !== undefined, `alive after ${hour} h`)
        sessions.touch(found)
      }
      clock.advance(HOUR)
      assert.equal((await sessions.find(busy.id))?.ended?.reason, 'absolute_timeout')
    })

    test('ends all sessions of a user but one, and of nobody else', async (t) => {
      const { sessions } = await setUp(t)
      const [kept, other, stranger] = [
        await sessions.create(signedInDraft()),
        await sessions.create(signedInDraft()),
        await sessions.create(signedInDraft({ userId: 'user00000000002' })),
      ]
      const before = await sessions.epoch()
      assert.equal(await sessions.endByUser('user00000000001', 'revoked', { except: kept }), 1)
      assert.ok((await sessions.find(kept.id))?.live !== undefined)
      assert.equal((await sessions.find(other.id))?.ended?.reason, 'revoked')
      assert.ok((await sessions.find(stranger.id))?.live !== undefined)
      assert.ok((await sessions.epoch('user00000000001')) > before)
      assert.equal(await sessions.epoch('user00000000002'), 0)
    })

    test("ends one session by its handle, never somebody else's", async (t) => {
      const { sessions } = await setUp(t)
      const session = await sessions.create(signedInDraft())
      assert.equal(await sessions.endByHandle('user00000000002', session.record.handle, 'revoked'), 0)
      assert.equal(await sessions.endByHandle('user00000000001', session.record.key, 'revoked'), 0)
      assert.equal(await sessions.endByHandle('user00000000001', session.record.handle, 'revoked'), 1)
    })

    test('keeps at most ten sessions a user and ends the oldest', async (t) => {
      const { sessions, clock } = await setUp(t)
      const made: LiveSession[] = []
      for (let i = 0; i < 12; i++) {
        clock.advance(1000)
        made.push(await sessions.create(signedInDraft()))
        await sessions.evict(made.at(-1) as LiveSession)
      }
      assert.equal((await sessions.listByUser('user00000000001')).length, 10)
      assert.equal((await sessions.find(made[0]?.id ?? ''))?.ended?.reason, 'evicted')
      assert.equal((await sessions.find(made[1]?.id ?? ''))?.ended?.reason, 'evicted')
      assert.ok((await sessions.find(made[2]?.id ?? ''))?.live !== undefined)
    })

    test('opens sessions under an older secret, re-seals them, and ends them when the secret is gone', async (t) => {
      const { sessions, store, clock } = await setUp(t)
      const session = await sessions.create(signedInDraft({ data: { a: 1 } }))
      const forgotten = await sessions.create(signedInDraft())
      const both = (await openSessions({ store, clock, secrets: [NEW_SECRET, SECRET] })).sessions
      const found = (await both.find(session.id))?.live as LiveSession
      assert.equal(await both.reseal(found), 'ok')

      const onlyNew = (await openSessions({ store, clock, secrets: [NEW_SECRET] })).sessions
      const later = (await onlyNew.find(session.id))?.live
      assert.deepEqual([later?.token(), later?.read('data:a')], ['a.b.c', 1])
      assert.equal((await onlyNew.find(forgotten.id))?.ended?.reason, 'secret_retired')
      assert.equal((await sessions.find(forgotten.id))?.ended?.reason, 'secret_retired')
    })

    test('ends a session whose user was swapped with that of another row', async (t) => {
      const { sessions, events, store, clock } = await setUp(t)
      const [victim, attacker] = [
        await sessions.create(signedInDraft()),
        await sessions.create(signedInDraft({ userId: 'user00000000002' })),
      ]
      const stolen = victim.record.fields.get('user') ?? new Uint8Array()
      await store.update(attacker.record.key, { set: new Map([['user', stolen]]) }, clock.now())
      assert.equal((await sessions.find(attacker.id))?.ended?.reason, 'damaged')
      assert.ok(events.some(({ name }) => name === 'crypt_decrypt_fail'))
    })

    test('sweeps what ran out more than a day ago, and nothing that lives', async (t) => {
      const { sessions, clock } = await setUp(t)
      const old = await sessions.create(signedInDraft())
      clock.advance(47 * HOUR)
      const young = await sessions.create(signedInDraft())
      await sessions.sweep()
      assert.equal((await sessions.find(old.id))?.ended?.reason, 'idle_timeout')
      clock.advance(HOUR)
      await sessions.sweep()
      assert.equal(await sessions.find(old.id), undefined)
      assert.ok((await sessions.find(young.id))?.live !== undefined)
    })

    test('writes touches that wait when told to', async (t) => {
      const { sessions, store, clock } = await setUp(t)
      const session = await sessions.create(signedInDraft())
      clock.advance(61_000)
      sessions.touch(session)
      await sessions.flush()
      const row = await store.find(session.record.key, clock.now())
      assert.equal(row?.live?.lastSeenAt, clock.now())
      assert.equal(row?.live?.version, 1)
    })
  })
}

test('waits for a store whose promises are of its own kind', async () => {
  const inner = (await openSessions()).store
  const find = (key: string, now: number): unknown => ({
    // oxlint-disable-next-line unicorn/no-thenable -- this is what such a promise looks like
    then: (resolve: (found: unknown) => void) => resolve(inner.find(key, now)),
  })
  const store = new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name)
      if (name === 'find') return find
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  const { sessions } = await openSessions({ store })
  const session = await sessions.create(signedInDraft())
  assert.equal((await sessions.find(session.id))?.live?.record.handle, session.record.handle)
})
