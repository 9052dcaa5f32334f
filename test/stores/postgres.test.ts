// The store contract on a real PostgreSQL, and on the server that TEST_POSTGRES_URL names.

import { after, before, describe } from 'node:test'
import { createPostgresStore } from '../../server/stores/postgres.ts'
import { testStore } from '../../server/testing.ts'
import { postgresPlace } from '../support/postgres-place.ts'
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.ts'
import { startStoreProcess, type StoreProcess } from '../support/store-process.ts'

describe('a PostgreSQL of our own', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgresServer()
  })
  after(() => server.stop())

  testStore('postgres', () => postgresPlace(server.url))

  describe('with two processes on it', () => {
    let process: StoreProcess
    before(async () => {
      process = await startStoreProcess()
    })
    after(() => process.kill())

    testStore('postgres in two processes', () =>
      postgresPlace(server.url, (schema, count) =>
        count % 2
          ? process.store(`${server.url}?schema=${schema}`)
          : createPostgresStore({ url: server.url, schema, timeoutMs: 10_000 }),
      ),
    )
  })
})

const named = process.env['TEST_POSTGRES_URL']
if (named !== undefined && named !== '') {
  testStore('the PostgreSQL of TEST_POSTGRES_URL', () => postgresPlace(named))
}
