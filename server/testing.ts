// Published as `pocketbase-session/testing`: a clock to set, and the store contract as tests for any store.

import { describe, test } from 'node:test'
import { copyCases } from './testing/copy-cases.ts'
import { counterCases } from './testing/counter-cases.ts'
import { endingCases } from './testing/ending-cases.ts'
import { expiryCases } from './testing/expiry-cases.ts'
import { propertyCases } from './testing/property-cases.ts'
import { raceCases } from './testing/race-cases.ts'
import { rowCases } from './testing/row-cases.ts'
import { secrecyCases } from './testing/secrecy-cases.ts'
import { runStoreCase, type OpenPlace, type PropertyOptions, type StoreCase } from './testing/store-case.ts'
import { userCases } from './testing/user-cases.ts'

export { createClock, type TestClock } from './testing/clock.ts'
export { sampleSession } from './testing/sample-session.ts'
export { runStoreCase } from './testing/store-case.ts'
export type {
  OpenPlace,
  PropertyOptions,
  RunStoreCaseOptions,
  StoreCase,
  StoreCaseContext,
  StorePlace,
} from './testing/store-case.ts'

/** The store contract, case by case. For other test runners: run each with `runStoreCase`. */
export const storeCases: readonly StoreCase[] = [
  ...rowCases,
  ...endingCases,
  ...userCases,
  ...expiryCases,
  ...counterCases,
  ...raceCases,
  ...propertyCases,
  ...secrecyCases,
  ...copyCases,
]

export interface TestStoreOptions {
  readonly properties?: PropertyOptions
}

/**
 * Registers the whole store contract as tests of `node:test`, races and random sequences included (these need `fast-check`).
 * @param name for the heading of the tests
 * @param open makes an empty place for each case; a plain store will do, but only a place shows races between connections
 * @example
 * testStore('my store', () => createMyStore({ prefix: randomUUID() }))
 */
export function testStore(name: string, open: OpenPlace, options: TestStoreOptions = {}): void {
  void describe(`${name} keeps the store contract`, () => {
    for (const storeCase of storeCases) {
      void test(storeCase.name, (t) => runStoreCase(storeCase, open, { ...options, skip: (why) => t.skip(why) }))
    }
  })
}
