// A store that answers at once, and fails at once where a test says so: a full disk.

import type { Store } from '../../server/sessions/store.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import type { StoreMethod } from './faulty-store.ts'

/** `failing` may be changed at any time. */
export function createFailingStore(failing: Set<StoreMethod>): Store {
  return new Proxy(createMemoryStore(), {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]) => {
        if (failing.has(name as StoreMethod)) throw new Error(`${String(name)} failed, as the test told it to`)
        return Reflect.apply(value, target, args) as unknown
      }
    },
  })
}
