// A store whose answers come late, and whose calls can be told to fail: what a network does to a store.
// Every session test runs on it, since a store that answers at once never shows half of the races.

import { setTimeout as delay } from 'node:timers/promises'
import type { CopyableStore } from '../../server/sessions/copyable-store.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'

export type StoreMethod = Exclude<keyof CopyableStore, 'name' | 'warnings'>

export type Fault =
  /** Nothing happens, and the call rejects. */
  | 'reject'
  /** Nothing happens, and the call never answers. */
  | 'hang'
  /** The write is done, and the call rejects all the same: its answer was lost. */
  | 'lose-answer'
  /** The write is done, and the call never answers. */
  | 'swallow-answer'
  /** Answers after this time instead of the usual one. */
  | { readonly delayMs: number }

export interface FaultyStore extends CopyableStore {
  /** How often each method was called. */
  readonly calls: Readonly<Record<StoreMethod, number>>
  /** Makes the next calls of a method fail this way: `times` of them, or all until `heal`. */
  fault(methods: StoreMethod | readonly StoreMethod[] | 'all', fault: Fault, times?: number): void
  /** All calls work again. Calls that hang go on hanging. */
  heal(): void
}

const METHODS: readonly StoreMethod[] = [
  'open',
  'close',
  'ping',
  'find',
  'create',
  'update',
  'touch',
  'replace',
  'end',
  'endByUser',
  'epoch',
  'listByUser',
  'scan',
  'deleteExpired',
  'claim',
  'release',
  'hit',
  'reset',
  'exportEntries',
  'importEntries',
]

/** The given store, or one in memory, behind promises that take `delayMs` (5) before the call takes effect. `close` never fails. */
export function createFaultyStore(inner: CopyableStore = createMemoryStore(), { delayMs = 5 } = {}): FaultyStore {
  const calls = Object.fromEntries(METHODS.map((method) => [method, 0])) as Record<StoreMethod, number> // from METHODS
  const faults = new Map<StoreMethod, { readonly fault: Fault; left: number }>()

  const call = async (method: StoreMethod, args: readonly unknown[]): Promise<unknown> => {
    calls[method] += 1
    const fault = takeFault(faults, method)
    await delay(typeof fault === 'object' ? fault.delayMs : delayMs)
    if (fault === 'hang') return new Promise(() => {})
    if (fault === 'reject') throw new Error(`${method} failed, as the test told it to`)
    const answer: unknown = await Reflect.apply(inner[method], inner, args)
    if (fault === 'swallow-answer') return new Promise(() => {})
    if (fault === 'lose-answer') throw new Error(`the answer of ${method} was lost, as the test told it to be`)
    return answer
  }
  const methods = METHODS.map((method) => [method, (...args: readonly unknown[]) => call(method, args)])
  return {
    ...(Object.fromEntries(methods) as Omit<CopyableStore, 'name'>), // from METHODS, each with the arguments of its name
    name: `faulty ${inner.name}`,
    calls,
    fault(which, fault, times = Infinity) {
      const named = which === 'all' ? METHODS.filter((method) => method !== 'close') : [which].flat()
      for (const method of named) faults.set(method, { fault, left: times })
    },
    heal: () => faults.clear(),
  }
}

function takeFault(faults: Map<StoreMethod, { readonly fault: Fault; left: number }>, method: StoreMethod) {
  const entry = faults.get(method)
  if (entry === undefined) return undefined
  entry.left -= 1
  if (entry.left <= 0) faults.delete(method)
  return entry.fault
}
