// A Mongo store of which a test sees every command before it is sent: it can hold one back, or let the process "die" there.

import type { Collection } from 'mongodb'
import type { Store } from '../../server/sessions/store.ts'
import { connectMongo, type MongoConnection } from '../../server/stores/mongo-connection.ts'
import { loadMongoDriver } from '../../server/stores/mongo-driver.ts'
import { MongoStore } from '../../server/stores/mongo-store.ts'
import { parseMongoUrl } from '../../server/stores/mongo-url.ts'
import { PATIENT_MS } from './mongo-place.ts'

/** Runs before each command on the sessions: rejects, and the command is not sent. */
export type BeforeCommand = (method: string) => Promise<void>

export interface SteppedStore extends Store {
  /** For all commands from now on; `undefined` lets them all through. */
  before(step: BeforeCommand | undefined): void
}

const COLLECTIONS = ['sessions', 'latest'] as const
/** Answers a cursor at once; its command is sent by what is called on that. */
const LAZY = 'find'

/** Already open. */
export async function openSteppedStore(url: string): Promise<SteppedStore> {
  let step: BeforeCommand | undefined
  const config = parseMongoUrl(url, PATIENT_MS)
  const connect = async () => withSteps(await connectMongo(await loadMongoDriver(), config), async (m) => step?.(m))
  const store = new MongoStore({ timeoutMs: PATIENT_MS, connect })
  await store.open()
  return Object.assign(store, {
    before: (next: BeforeCommand | undefined) => {
      step = next
    },
  })
}

/** Lets `count` commands through and none after that: what a killed process leaves behind. */
export function dieAfter(count: number): BeforeCommand {
  let sent = 0
  return async () => {
    sent += 1
    if (sent > count) throw new Error('this process is dead, as the test told it to be')
  }
}

/** Holds back the command after the first `count` until `release`; `reached` resolves when it is held. */
export function holdAfter(count: number) {
  const held = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  let sent = 0
  const step: BeforeCommand = async () => {
    sent += 1
    if (sent !== count + 1) return
    reached.resolve()
    await held.promise
  }
  return { step, reached: reached.promise, release: () => held.resolve() }
}

function withSteps(connection: MongoConnection, before: BeforeCommand): MongoConnection {
  const stepped = COLLECTIONS.map((name) => [name, steppedCollection(connection[name], before)])
  return { ...connection, ...Object.fromEntries(stepped) }
}

function steppedCollection<T extends object>(collection: Collection<T>, before: BeforeCommand): Collection<T> {
  return new Proxy(collection, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      if (name === LAZY) {
        return (...args: readonly unknown[]) => ({
          toArray: async () => {
            await before(LAZY)
            return Reflect.apply(value, target, args).toArray()
          },
        })
      }
      return async (...args: readonly unknown[]) => {
        await before(String(name))
        return Reflect.apply(value, target, args)
      }
    },
  })
}
