// How the tables come into being: by whoever starts first, or with a sentence that says what an administrator has to do.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { Store } from '../../server/sessions/store.ts'
import { createPostgresStore } from '../../server/stores/postgres.ts'
import { createClock, sampleSession } from '../../server/testing.ts'
import { postgresPlace, query } from '../support/postgres-place.ts'
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.ts'
import { startStoreProcess } from '../support/store-process.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/test-certificate.ts'
import { temporaryFolder } from '../support/stores.ts'
import { writeFileSync } from 'node:fs'

const now = createClock().now()
const PASSWORD = 'pw-of-a-role'

describe('the schema of the PostgreSQL store', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgresServer({ settings: { max_connections: '200' } })
  })
  after(() => server.stop())

  /** A role without any right but to connect, and the URL with which it does. */
  async function createRole(database = 'postgres'): Promise<{ name: string; url: string }> {
    const name = `role_${randomBytes(6).toString('hex')}`
    await query(server.url, `CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}'`)
    return { name, url: `postgresql://${name}:${PASSWORD}@${server.host}:${server.port}/${database}` }
  }

  test('of 30 stores in two processes that start together on nothing one makes the tables, and all work', async (t) => {
    const process = await startStoreProcess()
    t.after(() => process.kill())
    const place = postgresPlace(server.url)
    t.after(() => place.dispose())
    const stores: Store[] = await Promise.all(Array.from({ length: 29 }, async () => place.connect()))
    stores.push(process.store(`${server.url}?schema=${place.schema}`))
    await Promise.all(stores.map(async (store) => store.open()))
    await Promise.all(stores.map(async (store) => store.create(sampleSession(now))))
    assert.equal((await stores[0]?.scan(null, 100))?.sessions.length, 30)
    await Promise.all(stores.map(async (store) => store.close()))
  })

  test('without a schema the tables are where the user makes its tables', async () => {
    const database = `db_${randomBytes(6).toString('hex')}`
    await query(server.url, `CREATE DATABASE ${database}`)
    const url = new URL(server.url)
    url.pathname = database
    const store = await createPostgresStore({ url: url.href })
    await store.open()
    await store.create(sampleSession(now))
    await store.close()
    assert.equal((await query(url.href, 'SELECT count(*) FROM public.pbs_sessions'))[0]?.['count'], '1')
  })

  test('a user that may not make tables is told what an administrator runs, and after that it works', async () => {
    for (const schema of [undefined, `s_${randomBytes(6).toString('hex')}`]) {
      const { name, url } = await createRole()
      const options = schema === undefined ? { url } : { url, schema }
      const store = await createPostgresStore(options)
      const error: unknown = await Promise.resolve(store.open()).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof Error)
      assert.equal(error.name, 'ConfigError')
      assert.doesNotMatch(error.message, new RegExp(PASSWORD))
      const [, sql = ''] = /run: (.*?)(?:, and add|$)/.exec(error.message) ?? []
      assert.match(sql, new RegExp(`TO ${name}$`))
      assert.equal(/\?schema=(\w+)/.exec(error.message)?.[1], schema === undefined ? 'pbs' : undefined)

      await query(server.url, sql)
      const allowed = await createPostgresStore({ ...options, schema: schema ?? 'pbs' })
      await allowed.open()
      await allowed.create(sampleSession(now))
      await allowed.close()
    }
  })

  test('once the tables are there, a user that may only read and write rows is enough', async (t) => {
    const place = postgresPlace(server.url)
    t.after(() => place.dispose())
    const owner = await place.connect()
    await owner.open()
    await owner.close()
    const { name, url } = await createRole()
    await query(
      server.url,
      `GRANT USAGE ON SCHEMA ${place.schema} TO ${name};
       GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${place.schema} TO ${name}`,
    )
    const store = await createPostgresStore({ url, schema: place.schema })
    await store.open()
    const record = sampleSession(now)
    await store.create(record)
    await store.touch([{ key: record.key, lastSeenAt: now + 1, idleExpiresAt: now + 1 }], now)
    assert.equal(await store.endByUser(record.userId ?? '', 'logout', now), 1)
    await store.deleteExpired(record.expiresAt, 10)
    await store.close()
    await query(server.url, `DROP OWNED BY ${name}`)
  })

  test('tables of a newer release are refused and left alone', async (t) => {
    const place = postgresPlace(server.url)
    t.after(() => place.dispose())
    const store = await place.connect()
    await store.open()
    await store.close()
    await query(server.url, `UPDATE ${place.schema}.pbs_schema SET version = 99`)
    await assert.rejects(async () => store.open(), { name: 'ConfigError', message: /version 99.*newer release/ })
    assert.equal((await query(server.url, `SELECT version FROM ${place.schema}.pbs_schema`))[0]?.['version'], 99)
  })

  test('refuses calls before it is opened and after it is closed, and opens again', async (t) => {
    const place = postgresPlace(server.url)
    t.after(() => place.dispose())
    const store = await place.connect()
    await assert.rejects(async () => store.ping(), /not open/)
    for (let i = 0; i < 2; i += 1) {
      await store.open()
      await store.open()
      await store.ping()
      await store.close()
      await assert.rejects(async () => store.find('a', now), /not open/)
    }
  })

  test('a server that keeps what it acknowledges is warned of in no way', async (t) => {
    const place = postgresPlace(server.url)
    t.after(() => place.dispose())
    const store = await place.connect()
    await store.open()
    assert.deepEqual(await store.warnings?.(), [])
    await store.close()
  })

  test('no error shows the password, a value or a key of a row', async (t) => {
    const place = postgresPlace(server.url, (schema) =>
      createPostgresStore({ url: server.url, schema, timeoutMs: 500 }),
    )
    t.after(() => place.dispose())
    const store = await place.connect()
    await store.open()
    const [a, b] = [sampleSession(now), sampleSession(now)]
    await store.create(a)
    await store.create(b)
    const calls = [
      () => store.replace(a.key, sampleSession(now, { key: b.key }), {}, now),
      () => store.create(sampleSession(now, { device: 'secret\0device' })),
      () => store.create(sampleSession(now, { cookie: 77_077.5 })),
      () => store.update(a.key, { columns: { cookie: 77_077.5 } }, now),
    ]
    for (const call of calls) {
      const error: unknown = await Promise.resolve(call()).then(
        () => undefined,
        (reason: unknown) => reason,
      )
      assert.ok(error instanceof Error)
      const shown = `${error.message} ${JSON.stringify(error)} ${JSON.stringify(error.cause)}`
      for (const secret of [a.key, b.key, b.userId ?? '', 'device', '77077', PASSWORD, new URL(server.url).password]) {
        assert.ok(!shown.includes(secret), shown)
      }
    }
    await store.close()
  })

  test('a wrong password is said without showing it', async () => {
    const url = new URL(server.url)
    url.password = 'hunter2-is-wrong'
    const store = await createPostgresStore({ url: url.href })
    await assert.rejects(
      async () => store.open(),
      (error: Error) => {
        assert.match(error.message, /password authentication failed/)
        assert.doesNotMatch(JSON.stringify(error) + error.message + String(error.cause), /hunter2/)
        return true
      },
    )
  })
})

describe('a PostgreSQL that could lose what it acknowledges, over TLS', () => {
  let server: PostgresServer
  before(async () => {
    const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
    server = await startPostgresServer({ settings, tls: { cert: TEST_CERTIFICATE, key: TEST_KEY } })
  })
  after(() => server.stop())

  test('is warned of setting by setting, and its certificate is checked', async (t) => {
    const ca = `${temporaryFolder(t)}/ca.pem`
    writeFileSync(ca, TEST_CERTIFICATE)
    for (const mode of ['require', 'verify-full']) {
      const store = await createPostgresStore({ url: `${server.url}?sslmode=${mode}&sslrootcert=${ca}&schema=tls` })
      await store.open()
      const warnings = (await store.warnings?.()) ?? []
      await store.close()
      assert.deepEqual(
        warnings.map((warning) => / (\w+=\w+):/.exec(warning)?.[1]),
        ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'],
      )
    }
    const unknown = await createPostgresStore({ url: `${server.url}?sslmode=require` })
    await assert.rejects(async () => unknown.open(), /self-signed certificate/)
    const unchecked = await createPostgresStore({ url: `${server.url}?sslmode=no-verify&schema=tls` })
    await unchecked.open()
    await unchecked.close()
    const plain = await createPostgresStore({ url: `${server.url}?sslmode=disable` })
    await assert.rejects(async () => plain.open(), /no pg_hba.conf entry.*no encryption/)
  })
})
