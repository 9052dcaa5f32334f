// Memory stores, each broken in one way that real stores are: the contract must name what is wrong with each.

import { setImmediate as turn } from 'node:timers/promises'
import type { CopyableStore, StoreEntry } from '../../server/sessions/copyable-store.ts'
import type { EndedSession } from '../../server/sessions/record.ts'
import type { Store } from '../../server/sessions/store.ts'
import { createMemoryData, insertRow, type MemoryData } from '../../server/stores/memory-data.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import { sampleSession } from '../../server/testing.ts'

export interface BrokenStore {
  readonly what: string
  /** Name of the case that must fail. */
  readonly failing: string
  readonly breakIt: (store: Store, data: MemoryData) => Partial<CopyableStore>
}

export const brokenStores: readonly BrokenStore[] = [
  {
    what: 'an upsert instead of an update',
    failing: 'an update never brings a session into being',
    breakIt: (store, data) => ({
      update: (key, update, now) => {
        if (!data.rows.has(key)) insertRow(data, sampleSession(now, { key }))
        return store.update(key, update, now)
      },
    }),
  },
  {
    what: 'an update that writes back the whole row it has read',
    failing: 'all of 100 parallel updates of different fields survive',
    breakIt: (store, data) => ({ update: updateWholeRow(store, data) }),
  },
  {
    what: 'an update that revives the session it has read',
    failing: 'nothing that races an ending leaves the session, or a successor, alive',
    breakIt: (store, data) => ({ update: updateWholeRow(store, data) }),
  },
  {
    what: 'an update that ignores the version',
    failing: 'an update changes only the version that was read, where one is given',
    breakIt: (store) => ({
      update: (key, update, now) => {
        const { ifVersion: _, ...unguarded } = update
        return store.update(key, unguarded, now)
      },
    }),
  },
  {
    what: 'a replace that ends the old session first and then creates the new one',
    failing: 'a reader sees the old or the new session of a replace, never both and never neither',
    breakIt: (store) => ({
      replace: async (oldKey, record, _options, now) => {
        if ((await store.end(oldKey, 'rotated', now)) === 0) return 'gone'
        await turn()
        await store.create(record)
        return 'replaced'
      },
    }),
  },
  {
    what: 'a replace that creates the new session first and then ends the old one',
    failing: 'a reader sees the old or the new session of a replace, never both and never neither',
    breakIt: (store) => ({ replace: createThenEnd(store) }),
  },
  {
    what: 'a replace that looks first and writes later',
    failing: 'of 20 parallel replaces of one session exactly one wins',
    breakIt: (store) => ({ replace: createThenEnd(store) }),
  },
  {
    what: 'a replace that ignores what was written since the row was read',
    failing: 'a replace by version loses no update that was acknowledged',
    breakIt: (store) => ({ replace: (oldKey, record, _, now) => store.replace(oldKey, record, {}, now) }),
  },
  {
    what: 'a forgotten user index on create',
    failing: "lists a user's live sessions, newest first, by their plain columns",
    breakIt: (store, data) => ({
      create: (record) => {
        const answer = store.create(record)
        data.byUser.delete(record.userId ?? '')
        return answer
      },
    }),
  },
  {
    what: 'a forgotten user index on replace',
    failing: 'ends all of the sessions that a replace made',
    breakIt: (store, data) => ({
      replace: (oldKey, record, options, now) => {
        const answer = store.replace(oldKey, record, options, now)
        data.byUser.delete(record.userId ?? '')
        return answer
      },
    }),
  },
  {
    what: 'an epoch that is raised after the sessions were listed',
    failing: 'a sign-in that began before all sessions were ended is ended or sees the larger epoch',
    breakIt: (store, data) => ({
      endByUser: async (userId, reason, now, options) => {
        const listed = await store.listByUser(userId, now)
        await turn()
        const keys = listed.map(({ key }) => key).filter((key) => key !== options?.exceptKey)
        for (const key of keys) await store.end(key, reason, now)
        data.epoch += 1
        data.epochs.set(userId, { epoch: data.epoch, notedAt: now })
        return keys.length
      },
    }),
  },
  {
    what: 'an epoch that is noted for nobody',
    failing: 'raises its epoch by one and notes it for the user each time that all are ended',
    breakIt: (store) => ({ epoch: (userId) => (userId === undefined ? store.epoch() : 0) }),
  },
  {
    what: 'a touch that creates',
    failing: 'a touch never brings a session into being',
    breakIt: (store, data) => ({
      touch: (touches, now) => {
        for (const { key } of touches) if (!data.rows.has(key)) insertRow(data, sampleSession(now, { key }))
        return store.touch(touches, now)
      },
    }),
  },
  {
    what: 'a touch whose last value wins',
    failing: 'a touch lets the larger value of each win and leaves the version alone',
    breakIt: (_, data) => ({
      touch: (touches) => {
        for (const { key, ...times } of touches) {
          const row = data.rows.get(key)
          if (row?.ended === null) data.rows.set(key, { ...row, record: { ...row.record, ...times } })
        }
      },
    }),
  },
  {
    what: 'an end that leaves the fields',
    failing: 'every kind of ending erases the fields from the store',
    breakIt: (store, data) => ({
      end: (key, reason, now) => {
        const fields = data.rows.get(key)?.record.fields
        const ended = store.end(key, reason, now)
        const row = data.rows.get(key)
        if (row && fields) data.rows.set(key, { ...row, record: { ...row.record, fields } })
        return ended
      },
    }),
  },
  {
    what: 'an end whose last reason wins',
    failing: 'an end is answered by 1 once, and keeps its first reason and time',
    breakIt: (store, data) => ({
      end: (key, reason, now) => {
        const row = data.rows.get(key)
        const ended: EndedSession = { reason, endedAt: now, userId: row?.record.userId ?? null }
        if (row?.ended) data.rows.set(key, { ...row, ended })
        return store.end(key, reason, now)
      },
    }),
  },
  {
    what: 'an ended session that can be created anew',
    failing: 'refuses to create a key that has ended: a dead session stays dead',
    breakIt: (store, data) => ({
      create: (record) => {
        if (data.rows.get(record.key)?.ended) data.rows.delete(record.key)
        return store.create(record)
      },
    }),
  },
  {
    what: 'an expired session that is found live until it is deleted',
    failing: 'a session that was idle for too long is found ended',
    breakIt: (store) => ({ find: (key) => store.find(key, 0) }),
  },
  {
    what: 'a list that shows expired sessions',
    failing: "lists a user's live sessions, newest first, by their plain columns",
    breakIt: (store) => ({ listByUser: (userId) => store.listByUser(userId, 0) }),
  },
  {
    what: 'a deletion that takes live sessions along',
    failing: 'deletes no session that is live, and no ended one before its absolute deadline',
    breakIt: (store) => ({ deleteExpired: (now, limit) => store.deleteExpired(now + 60_000, limit) }),
  },
  {
    what: 'a deletion without bound',
    failing: 'deletes what is past its absolute deadline in bounded steps, until nothing is left',
    breakIt: (store) => ({ deleteExpired: (now) => store.deleteExpired(now, Infinity) }),
  },
  {
    what: 'a claim with two winners',
    failing: 'of 50 parallel claims exactly one wins, fresh or run out',
    breakIt: (_, data) => ({
      claim: async (name, until, now) => {
        const isTaken = (data.claims.get(name) ?? 0) > now
        await turn()
        if (!isTaken) data.claims.set(name, until)
        return !isTaken
      },
    }),
  },
  {
    what: 'a hit that starts the window anew',
    failing: 'counts hits in a fixed window that starts with the first',
    breakIt: (store, data) => ({
      hit: async (name, windowMs, now) => {
        const counter = { ...(await store.hit(name, windowMs, now)), resetAt: now + windowMs }
        data.counters.set(name, counter)
        return counter
      },
    }),
  },
  {
    what: 'a hit that forgets the others',
    failing: 'counts each of 100 parallel hits',
    breakIt: (_, data) => ({
      hit: async (name, windowMs, now) => {
        const before = data.counters.get(name) ?? { count: 0, resetAt: now + windowMs }
        await turn()
        const counter = { ...before, count: before.count + 1 }
        data.counters.set(name, counter)
        return counter
      },
    }),
  },
  {
    what: 'a copy that brings back what has ended',
    failing: 'a copy never brings back what has ended in the target',
    breakIt: (_, data) => ({
      importEntries: (entries) => {
        const sessions = entries.filter((entry) => entry.kind === 'session')
        for (const { record, ended } of sessions) data.rows.set(record.key, { record, ended })
        return sessions.length
      },
    }),
  },
  {
    what: 'a copy that only adds',
    failing: 'a copy ends in the target what has ended in the source, and erases it',
    breakIt: (store, data) => ({
      importEntries: (entries, now) => {
        const isNew = (entry: StoreEntry): boolean => entry.kind !== 'session' || !data.rows.has(entry.record.key)
        return (store as CopyableStore).importEntries(entries.filter(isNew), now) // the memory store is one
      },
    }),
  },
  {
    what: 'a copy that forgets the user index',
    failing: 'takes in every row as it is, live and ended, and epochs and claims',
    breakIt: (store, data) => ({
      importEntries: (entries, now) => {
        const answer = (store as CopyableStore).importEntries(entries, now) // the memory store is one
        data.byUser.clear()
        return answer
      },
    }),
  },
]

/** A memory store with what `breakIt` puts in its place. */
export function createBrokenStore(breakIt: BrokenStore['breakIt'], data = createMemoryData()): Store {
  const store = createMemoryStore(data)
  const broken = breakIt(store, data)
  return new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(broken, name) ?? Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function updateWholeRow(store: Store, data: MemoryData): Store['update'] {
  return async (key, update, now) => {
    const read = (await store.find(key, now))?.live
    await turn()
    if (read === undefined) return 'gone'
    const record = { ...read, fields: new Map([...read.fields, ...(update.set ?? [])]), version: read.version + 1 }
    data.rows.set(key, { record, ended: null })
    return record.version
  }
}

function createThenEnd(store: Store): Store['replace'] {
  return async (oldKey, record, _options, now) => {
    if ((await store.find(oldKey, now))?.live === undefined) return 'gone'
    await store.create(record)
    await turn()
    await store.end(oldKey, 'rotated', now)
    return 'replaced'
  }
}
