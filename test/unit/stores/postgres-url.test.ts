import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSchema, parsePostgresUrl } from '../../../server/stores/postgres-url.ts'

const SECRET = 'hunter2'

function assertRefused(url: string, why: RegExp): void {
  assert.throws(
    () => parsePostgresUrl(url),
    (error: Error) => {
      assert.equal(error.name, 'ConfigError')
      assert.match(error.message, why)
      assert.doesNotMatch(error.message, new RegExp(SECRET))
      return true
    },
  )
}

test('takes host, port, user, password and database from the URL, decoded', () => {
  const { connection, schema } = parsePostgresUrl('postgres://us%40er:p%2Fw%3F@db.example.com:6432/my%20db?schema=pbs')
  const expected = { host: 'db.example.com', port: 6432, user: 'us@er', password: 'p/w?', database: 'my db' }
  assert.deepEqual(connection, { ...expected, application_name: 'pocketbase-session' })
  assert.equal(schema, 'pbs')
})

test('what the URL leaves out is left to the driver and its environment', () => {
  assert.deepEqual(parsePostgresUrl('postgresql:///').connection, { application_name: 'pocketbase-session' })
})

test('takes IPv6 addresses and the folder of a Unix socket', () => {
  assert.equal(parsePostgresUrl('postgres://[::1]/db').connection.host, '::1')
  assert.equal(parsePostgresUrl('postgres:///db?host=/var/run/postgresql').connection.host, '/var/run/postgresql')
})

test('checks the certificate with every sslmode but the one that says that it does not', () => {
  const tls = (query: string) => parsePostgresUrl(`postgres://db/x?${query}`).connection.ssl
  for (const mode of ['require', 'verify-ca', 'verify-full']) {
    assert.deepEqual(tls(`sslmode=${mode}`), { rejectUnauthorized: true })
  }
  assert.deepEqual(tls('sslmode=no-verify'), { rejectUnauthorized: false })
  assert.equal(tls('sslmode=disable'), false)
  assert.equal(tls(''), undefined)
})

test('refuses an sslmode that whoever stands between could turn into none, and misspelt parameters', () => {
  for (const mode of ['prefer', 'allow', 'Require', ''])
    assertRefused(`postgres://u:${SECRET}@db/x?sslmode=${mode}`, /sslmode is one of/)
  assertRefused(`postgres://u:${SECRET}@db/x?ssl_mode=require`, /unknown parameters.*sslmode/)
  assertRefused(`postgres://u:${SECRET}@db/x?sslrootcert=/no/such/file`, /certificate file \/no\/such\/file/)
})

test('refuses what is no URL, without showing it', () => {
  assertRefused(`postgres://u:${SECRET}/@db/x`, /encode special characters/)
  assertRefused(`postgres://u:${SECRET}%@db/x`, /written as|write it as %25/)
  assertRefused(`mysql://u:${SECRET}@db/x`, /postgres:\/\/user:password@host/)
})

test('refuses a schema that is more than a plain name', () => {
  for (const schema of ['a', 'pbs', '_x9', 'a'.repeat(63)]) assert.equal(checkSchema(schema), schema)
  for (const schema of ['', 'A', '9a', 'a"b', 'a.b', "a'b", 'a;b', 'a b', 'pg_temp', 'a\n', 'a'.repeat(64)]) {
    assert.throws(() => checkSchema(schema), { name: 'ConfigError' })
  }
})
