import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parseRedisUrl } from '../../../../server/stores/redis/config.ts'
import { temporaryFolder } from '../../../support/stores.ts'

describe('a Redis URL', () => {
  test('names one server, with its defaults', () => {
    assert.deepEqual(parseRedisUrl('redis://localhost'), {
      kind: 'single',
      addresses: [{ host: 'localhost', port: 6379 }],
      masterName: '',
      credentials: {},
      sentinelCredentials: {},
      database: 0,
      tls: null,
      prefix: 'pbs:',
      wait: 0,
    })
  })

  test('has user, password, port, database, prefix and replicas to wait for', () => {
    const config = parseRedisUrl('redis://ann:p%40ss%3Aw%2Frd@[::1]:7000/3?prefix=app:&wait=2')
    assert.deepEqual(config.addresses, [{ host: '::1', port: 7000 }])
    assert.deepEqual(config.credentials, { username: 'ann', password: 'p@ss:w/rd' })
    assert.deepEqual([config.database, config.prefix, config.wait], [3, 'app:', 2])
  })

  test('may have a password and no user', () => {
    assert.deepEqual(parseRedisUrl('redis://:secret@host').credentials, { password: 'secret' })
  })

  test('names sentinels and their master, and then waits for a replica', () => {
    const config = parseRedisUrl('redis+sentinel://:pw@a:1,b,10.0.0.3:3/my-master/2?sentinelPassword=spw')
    assert.equal(config.kind, 'sentinel')
    assert.deepEqual(config.addresses, [
      { host: 'a', port: 1 },
      { host: 'b', port: 26379 },
      { host: '10.0.0.3', port: 3 },
    ])
    assert.deepEqual([config.masterName, config.database, config.wait], ['my-master', 2, 1])
    assert.deepEqual([config.credentials, config.sentinelCredentials], [{ password: 'pw' }, { password: 'spw' }])
  })

  test('names nodes of a cluster, and then waits for a replica unless told', () => {
    const config = parseRedisUrl('redis+cluster://a:1,b:2')
    assert.deepEqual([config.kind, config.addresses.length, config.wait], ['cluster', 2, 1])
    assert.equal(parseRedisUrl('redis+cluster://a:1,b:2?wait=0').wait, 0)
  })

  test('asks for TLS by rediss, with certificates from files', (t) => {
    const file = join(temporaryFolder(t), 'ca.pem')
    writeFileSync(file, 'certificate')
    assert.deepEqual(parseRedisUrl('rediss://host').tls, {})
    assert.deepEqual(parseRedisUrl(`rediss+cluster://host?ca=${encodeURIComponent(file)}`).tls, { ca: 'certificate' })
  })

  const refused = {
    'no URL': 'redis:hunter2',
    'a Unix socket': 'redis+unix://hunter2',
    'two servers': 'redis://:hunter2@a,b',
    'a port that is none': 'redis://:hunter2@host:99999',
    'an unknown parameter': 'redis://host?password=hunter2',
    'a database that is no number': 'redis://:hunter2@host/hunter2',
    'a database in a cluster': 'redis+cluster://:hunter2@host/1',
    'sentinels without a master': 'redis+sentinel://:hunter2@host',
    'replicas that are no number': 'redis://:hunter2@host?wait=hunter2',
    'a prefix with braces': 'redis://:hunter2@host?prefix={x}',
    'certificates without TLS': 'redis://:hunter2@host?ca=hunter2',
    'a file that is not there': 'rediss://:hunter2@host?ca=hunter2',
    'a password that is not percent-encoded': 'redis://:hunter2%@host',
  }
  for (const [what, url] of Object.entries(refused)) {
    test(`with ${what} is refused, and nothing of it is shown`, () => {
      assert.throws(
        () => parseRedisUrl(url),
        (error: Error) => error.name === 'ConfigError' && !error.message.includes('hunter2'),
      )
    })
  }
})
