// The store contract on a real PostgreSQL, and on the server that TEST_POSTGRES_URL names.

import { after, before, describe } from 'node:test'
import { testStore } from '../../server/testing.ts'
import { postgresPlace } from '../support/postgres-place.ts'
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.ts'

describe('a PostgreSQL of our own', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgresServer()
  })
  after(() => server.stop())

  testStore('postgres', () => postgresPlace(server.url))
})

const named = process.env['TEST_POSTGRES_URL']
if (named !== undefined && named !== '') {
  testStore('the PostgreSQL of TEST_POSTGRES_URL', () => postgresPlace(named))
}
