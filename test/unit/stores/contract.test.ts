// The contract itself: a broken store fails the case that names what is wrong with it.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMemoryData } from '../../../server/stores/memory-data.ts'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import { runStoreCase, storeCases } from '../../../server/testing.ts'
import { brokenStores, createBrokenStore } from '../../support/broken-stores.ts'
import { memoryPlace } from '../../support/store-places.ts'

describe('the store contract', () => {
  for (const { what, failing, breakIt } of brokenStores) {
    test(`finds ${what}: "${failing}" fails`, async () => {
      const storeCase = storeCases.find(({ name }) => name === failing)
      assert.ok(storeCase)
      const place = memoryPlace((data) => createBrokenStore(breakIt, data))
      await assert.rejects(
        runStoreCase(storeCase, () => place),
        { name: 'AssertionError' },
      )
    })
  }

  test('passes the same store where nothing is broken', async () => {
    for (const storeCase of storeCases) {
      await runStoreCase(storeCase, () => memoryPlace((data) => createBrokenStore(() => ({}), data)))
    }
  })

  test('runs on a plain store too, and says which cases need a place', async () => {
    const skipped: string[] = []
    for (const storeCase of storeCases) {
      const options = { properties: { runs: 5 }, skip: (why: string) => skipped.push(`${storeCase.name}: ${why}`) }
      await runStoreCase(storeCase, () => createMemoryStore(createMemoryData()), options)
    }
    assert.deepEqual(skipped, [
      'every kind of ending erases the fields from the store: needs a place with dump()',
      'no byte of the store shows an id, a token, an e-mail address or app data: needs a place with dump()',
    ])
  })

  test('names each case once', () => {
    assert.equal(new Set(storeCases.map(({ name }) => name)).size, storeCases.length)
  })
})
