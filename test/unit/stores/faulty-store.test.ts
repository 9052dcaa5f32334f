import { createMemoryStore } from '../../../server/stores/memory.ts'
import { testStore } from '../../../server/testing.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { memoryPlace } from '../../support/store-places.ts'

testStore(
  'memory behind promises',
  () => memoryPlace((data) => createFaultyStore(createMemoryStore(data), { delayMs: 0 })),
  {
    properties: { runs: 20 },
  },
)
