// The store contract on the MongoDB that TEST_MONGO_URL names: a mongod, a replica set or a sharded cluster. Each case makes a
// database pbs_test_… there and drops it. Without the variable here is nothing to run.

import { after, before, describe } from 'node:test'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { testStore } from '../../server/testing.ts'
import { mongoPlace, PATIENT_MS } from '../support/mongo-place.ts'
import { startStoreProcess, type StoreProcess } from '../support/store-process.ts'

const named = process.env['TEST_MONGO_URL']
if (named !== undefined && named !== '') {
  testStore('the MongoDB of TEST_MONGO_URL', () => mongoPlace(named))

  describe('with two processes on it', () => {
    let process: StoreProcess
    before(async () => {
      process = await startStoreProcess()
    })
    after(() => process.kill())

    testStore('the MongoDB of TEST_MONGO_URL in two processes', () =>
      mongoPlace(named, (url, count) =>
        count % 2 ? process.store(url) : createMongoStore({ url, timeoutMs: PATIENT_MS }),
      ),
    )
  })
}
