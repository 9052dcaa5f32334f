// The contract under races: many calls at once on one session, over two connections.

import assert from 'node:assert/strict'
import { assertEnded, assertLive } from './assert-find.ts'
import { HOUR, sampleSession, successorKey } from './sample-session.ts'
import { turns } from './turns.ts'
import type { StoreCase } from './store-case.ts'

export const raceCases: readonly StoreCase[] = [
  {
    name: 'of 20 parallel creations of one key exactly one succeeds',
    async run({ store, other, clock }) {
      const { key } = sampleSession(clock.now())
      const users = Array.from({ length: 20 }, (_, i) => `user${i}`)
      const results = await Promise.allSettled(
        users.map(async (userId, i) => (i % 2 ? store : other).create(sampleSession(clock.now(), { key, userId }))),
      )
      const winners = users.filter((_, i) => results[i]?.status === 'fulfilled')
      assert.equal(winners.length, 1, `${winners.length} creations of one key succeeded`)
      assert.equal((await assertLive(store, key, clock.now())).userId, winners[0])
    },
  },
  {
    name: 'all of 100 parallel updates of different fields survive',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now(), { fields: new Map() })
      await store.create(record)
      const updates = Array.from({ length: 100 }, async (_, i) =>
        (i % 2 ? store : other).update(record.key, { set: new Map([[`f${i}`, Uint8Array.of(i)]]) }, clock.now()),
      )
      const versions = await Promise.all(updates)
      const found = await assertLive(store, record.key, clock.now())
      assert.equal(found.fields.size, 100, `${100 - found.fields.size} of 100 acknowledged fields were lost`)
      assert.equal(new Set(versions).size, 100, 'two updates answered the same version')
      assert.equal(found.version, 101)
    },
  },
  {
    name: 'of 20 parallel updates of one version exactly one wins',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now(), { fields: new Map() })
      await store.create(record)
      const set = (i: number) => new Map([['n', Uint8Array.of(i)]])
      const answers = await Promise.all(
        Array.from({ length: 20 }, async (_, i) =>
          (i % 2 ? store : other).update(record.key, { set: set(i), ifVersion: 1 }, clock.now()),
        ),
      )
      assert.deepEqual(
        answers.filter((answer) => answer !== 'conflict'),
        [2],
      )
      const found = await assertLive(store, record.key, clock.now())
      assert.deepEqual([...(found.fields.get('n') ?? [])], [answers.indexOf(2)])
    },
  },
  {
    name: 'of 20 parallel replaces of one session exactly one wins',
    async run({ store, other, clock }) {
      const old = sampleSession(clock.now())
      await store.create(old)
      const nexts = Array.from({ length: 20 }, () => sampleSession(clock.now(), { key: successorKey(old.key) }))
      const answers = await Promise.all(
        nexts.map(async (next, i) => (i % 2 ? store : other).replace(old.key, next, {}, clock.now())),
      )
      assert.equal(answers.filter((answer) => answer === 'replaced').length, 1, 'one session got several successors')
      const listed = await store.listByUser(old.userId ?? '', clock.now())
      assert.deepEqual(
        listed.map(({ key }) => key),
        [nexts[answers.indexOf('replaced')]?.key],
      )
    },
  },
  {
    name: 'a reader sees the old or the new session of a replace, never both and never neither',
    async run({ store, other, clock }) {
      const now = clock.now()
      for (let round = 0; round < 10; round += 1) {
        const old = sampleSession(now)
        const next = sampleSession(now, { key: successorKey(old.key) })
        const isLive = async (key: string) => (await other.find(key, now))?.live !== undefined
        await store.create(old)
        const answers: string[] = []
        const replacing = after(1, async () => answers.push(await store.replace(old.key, next, {}, now)))
        while (answers.length === 0) {
          if (!(await isLive(old.key))) assert.ok(await isLive(next.key), 'for a moment neither session was live')
          if (await isLive(next.key)) assert.ok(!(await isLive(old.key)), 'for a moment both sessions were live')
          await turns(1)
        }
        await replacing
        assert.deepEqual(answers, ['replaced'])
      }
    },
  },
  {
    name: 'a replace by version loses no update that was acknowledged',
    async run({ store, other, clock }) {
      for (let round = 0; round < 40; round += 1) {
        const old = sampleSession(clock.now())
        const next = sampleSession(clock.now(), { key: successorKey(old.key) })
        await store.create(old)
        const [replaced, updated] = await Promise.all([
          after(round % 5, () => store.replace(old.key, next, { ifVersion: 1 }, clock.now())),
          after(Math.floor(round / 5) % 5, () => other.update(old.key, { set: new Map() }, clock.now())),
        ])
        assert.ok(
          (replaced === 'replaced' && updated === 'gone') || (replaced === 'conflict' && updated === 2),
          `replace answered ${replaced} while an update answered ${updated}`,
        )
      }
    },
  },
  {
    name: 'nothing that races an ending leaves the session, or a successor, alive',
    async run({ store, other, clock }) {
      const now = clock.now()
      for (let round = 0; round < 40; round += 1) {
        const record = sampleSession(now, { userId: `user${round}` })
        const next = sampleSession(now, { key: successorKey(record.key), userId: `user${round}` })
        await store.create(record)
        const touch = { key: record.key, lastSeenAt: now + 1, idleExpiresAt: now + 3 * HOUR }
        const [ended, replaced] = await Promise.all([
          after(round % 5, () => store.end(record.key, 'logout', now)),
          after(Math.floor(round / 5) % 5, () => other.replace(record.key, next, {}, now)),
          after(round % 3, () => other.update(record.key, { set: new Map([['x', Uint8Array.of(1)]]) }, now)),
          after(round % 4, () => other.touch([touch], now)),
        ])
        assert.equal(ended, replaced === 'gone' ? 1 : 0, `end answered ${ended}, replace ${replaced}`)
        await assertEnded(store, record.key, now, ended === 1 ? 'logout' : 'rotated')
        assert.equal((await store.find(next.key, now))?.live !== undefined, ended === 0)
        assert.equal((await store.listByUser(`user${round}`, now)).length, ended === 1 ? 0 : 1)
      }
    },
  },
  {
    name: 'of 20 parallel endings of one session exactly one counts',
    async run({ store, other, clock }) {
      const record = sampleSession(clock.now())
      await store.create(record)
      const endings = Array.from({ length: 20 }, async (_, i) =>
        (i % 2 ? store : other).end(record.key, 'logout', clock.now()),
      )
      const total = (await Promise.all(endings)).reduce((sum, count) => sum + count, 0)
      assert.equal(total, 1)
    },
  },
]

async function after<T>(count: number, run: () => T | Promise<T>): Promise<T> {
  await turns(count)
  return run()
}
