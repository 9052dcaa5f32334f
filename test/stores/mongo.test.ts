// The store contract on a server that speaks MongoDB's protocol: as a replica set of one, and as a single server.

import { after, before, describe } from 'node:test'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { testStore } from '../../server/testing.ts'
import { mongoPlace, PATIENT_MS } from '../support/mongo-place.ts'
import { startMongoServer, type MongoServer } from '../support/mongo-server.ts'
import { startStoreProcess, type StoreProcess } from '../support/store-process.ts'

for (const isStandalone of [false, true]) {
  describe(isStandalone ? 'a server without a replica set' : 'a replica set', () => {
    let server: MongoServer
    before(async () => {
      server = await startMongoServer({ isStandalone })
    })
    after(() => server.stop())

    testStore(isStandalone ? 'mongo on a single server' : 'mongo', () => mongoPlace(server.url))

    describe('with two processes on it', () => {
      let process: StoreProcess
      before(async () => {
        process = await startStoreProcess()
      })
      after(() => process.kill())

      testStore('mongo in two processes', () =>
        mongoPlace(server.url, (url, count) =>
          count % 2 ? process.store(url) : createMongoStore({ url, timeoutMs: PATIENT_MS }),
        ),
      )
    })
  })
}
