// One case of the store contract, and how it is run.

import type { MaybePromise } from '../lib/maybe-promise.ts'
import { isCopyable } from '../sessions/copyable-store.ts'
import type { Store } from '../sessions/store.ts'
import { createClock, type TestClock } from './clock.ts'

/** An empty place to keep sessions: a file, a database, a key prefix. */
export interface StorePlace {
  /** A new store on this place, not yet opened. All of them see the same sessions. */
  connect(): MaybePromise<Store>
  /** Everything that the place holds, as bytes: shows that ended sessions are erased. */
  dump?(): MaybePromise<Uint8Array>
  /** Removes the place. Its stores are closed by then. */
  dispose?(): MaybePromise<void>
}

/** Makes a place for one case, empty each time. A plain store will do, where the place cannot be opened twice. */
export type OpenPlace = () => MaybePromise<Store | StorePlace>

export interface StoreCaseContext {
  readonly store: Store
  /** Another connection to the same place, or the same store where there is none. */
  readonly other: Store
  readonly clock: TestClock
  /** A further connection, which is closed after the case. */
  connect(): Promise<Store>
  /** For cases that need it; empty where the place has none. */
  dump(): Promise<Uint8Array>
  readonly properties: PropertyOptions
}

export interface PropertyOptions {
  /** Random sequences that each property is tried with. Default 50. */
  readonly runs?: number
  /** Repeats the sequences of a failure that was reported. */
  readonly seed?: number
}

export interface StoreCase {
  /** What the store does, as a sentence. */
  readonly name: string
  /** `dump`: can only be shown where the place has one. `copy`: is about a store that can be moved (`CopyableStore`). */
  readonly needs?: 'dump' | 'copy'
  run(context: StoreCaseContext): Promise<void>
}

export interface RunStoreCaseOptions {
  readonly properties?: PropertyOptions
  /** Called where the place lacks what the case needs. */
  readonly skip?: (why: string) => void
}

/** Runs one case in a place of its own. For test runners other than node:test. @throws AssertionError where the store breaks the contract. */
export async function runStoreCase(
  storeCase: StoreCase,
  openPlace: OpenPlace,
  options: RunStoreCaseOptions = {},
): Promise<void> {
  const place = asPlace(await openPlace())
  const stores: Store[] = []
  const connect = async (): Promise<Store> => {
    const store = await place.connect()
    if (!stores.includes(store)) {
      stores.push(store)
      await store.open()
    }
    return store
  }
  try {
    if (storeCase.needs === 'dump' && place.dump === undefined) {
      options.skip?.('needs a place with dump()')
      return
    }
    const store = await connect()
    if (storeCase.needs === 'copy' && !isCopyable(store)) {
      options.skip?.('needs a store with exportEntries() and importEntries()')
      return
    }
    await storeCase.run({
      store,
      other: await connect(),
      clock: createClock(),
      connect,
      dump: async () => (await place.dump?.()) ?? new Uint8Array(),
      properties: options.properties ?? {},
    })
  } finally {
    for (const store of stores) await store.close()
    await place.dispose?.()
  }
}

function asPlace(opened: Store | StorePlace): StorePlace {
  return 'connect' in opened ? opened : { connect: () => opened }
}
