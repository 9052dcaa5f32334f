import { testStore } from '../../../server/testing.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { memoryPlace } from '../../support/store-places.ts'

testStore('memory behind promises', () => memoryPlace((store) => createFaultyStore(store, { delayMs: 0 })), {
  properties: { runs: 20 },
})
