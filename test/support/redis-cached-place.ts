// Redis stores that keep rows, on a prefix of their own, as the store contract wants to see them.

import type { CopyableStore } from '../../server/sessions/copyable-store.ts'
import { createCachedRedisStore } from '../../server/stores/redis/cached-store.ts'
import { parseRedisUrl } from '../../server/stores/redis/config.ts'
import { loadRedisDriver } from '../../server/stores/redis/driver.ts'
import { redisPlace, type RedisPlace } from './redis-place.ts'

const OPTIONS = { timeoutMs: 10_000, cacheBytes: 1_000_000 }
/** Short, since each of the contract's many endings waits for it. */
const LEASE_MS = 20

/** Writes that are no endings reach the other stores a moment after their answer; here they are answered after it. */
export function cachedRedisPlace(base: string): RedisPlace {
  const stores: CopyableStore[] = []
  const hear = (): Promise<unknown> => Promise.all(stores.map(hearAll))
  return redisPlace(base, async (url) => {
    const config = parseRedisUrl(url)
    const store = createCachedRedisStore(await loadRedisDriver(), config, { ...OPTIONS, leaseMs: LEASE_MS })
    stores.push(store)
    return heardElsewhere(store, hear)
  })
}

/** Every server answers on the connection on which it says what was changed, so all that it has said before has arrived. */
async function hearAll(store: CopyableStore): Promise<void> {
  await store.warnings?.()
}

function heardElsewhere(store: CopyableStore, hear: () => Promise<unknown>): CopyableStore {
  const waits = new Set<keyof CopyableStore>(['update', 'touch', 'deleteExpired', 'importEntries'])
  return new Proxy(store, {
    get: (target, property) => {
      const value: unknown = Reflect.get(target, property, target)
      if (typeof value !== 'function') return value
      const call = (...args: readonly unknown[]): unknown => Reflect.apply(value, target, args)
      if (!waits.has(property as keyof CopyableStore)) return call // any other property is none of them
      return async (...args: readonly unknown[]) => {
        const answer = await call(...args)
        await hear()
        return answer
      }
    },
  })
}
