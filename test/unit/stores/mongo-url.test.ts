import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseMongoUrl } from '../../../server/stores/mongo-url.ts'
import { openStore } from '../../../server/stores/open.ts'

const parse = (url: string) => parseMongoUrl(url, 2000)

describe('a MongoDB URL', () => {
  test('names the database by its path, pocketbase_session without one', () => {
    for (const url of ['mongodb://h', 'mongodb://h/', 'mongodb://h/?tls=true', 'mongodb+srv://u:p@h']) {
      assert.equal(parse(url).database, 'pocketbase_session')
    }
    assert.equal(parse('mongodb://u:p%40@h1:27017,h2,[::1]:3/my-app?replicaSet=rs0').database, 'my-app')
  })

  test('writes to a majority and reads what a majority has, unless it says otherwise', () => {
    const config = parse('mongodb://h/db')
    assert.deepEqual(config.writeConcern, { w: 'majority', wtimeoutMS: 800 })
    assert.equal(config.readConcern, 'majority')
    assert.deepEqual(config.warnings, [])
    assert.equal(parse('mongodb://h/db?readConcernLevel=linearizable').readConcern, 'linearizable')
    assert.deepEqual(parse('mongodb://h/db?w=2&wtimeoutMS=5&journal=true').writeConcern, {
      w: 2,
      wtimeoutMS: 5,
      journal: true,
    })
  })

  test('gives the driver half of the deadline for each of its two attempts', () => {
    const { clientOptions } = parse('mongodb://h/db')
    assert.equal(clientOptions.socketTimeoutMS, 1000)
    assert.equal(clientOptions.connectTimeoutMS, 1000)
    assert.equal(clientOptions.serverSelectionTimeoutMS, 1000)
    assert.equal(clientOptions.waitQueueTimeoutMS, 500)
    assert.equal(clientOptions.heartbeatFrequencyMS, 1000)
  })

  test('keeps the time limits and pool sizes that it names, in any case', () => {
    const { clientOptions } = parse('mongodb://h/db?sockettimeoutms=77&maxPoolSize=3')
    assert.deepEqual(
      ['socketTimeoutMS', 'maxPoolSize', 'connectTimeoutMS'].map((name) => Object.hasOwn(clientOptions, name)),
      [false, false, true],
    )
  })

  const refused = {
    'mongodb://h/db?timeoutMS=500': /timeoutMS.*no effect.*storeTimeoutMs/,
    'mongodb://h/db?w=0': /w=0.*no write is ever confirmed/,
    'mongodb://h/db?readPreference=secondaryPreferred': /readPreference must be primary/,
    'mongodb://h/db?readConcernLevel=local': /readConcernLevel must be majority or linearizable/,
    'mongodb://h/a.b': /the database/,
    'mongodb://h/%ZZ': /the database/,
    'mongodb://user:p@ss/word@h/db': /looks like mongodb:/,
    'mongodb://': /looks like mongodb:/,
  }
  for (const [url, message] of Object.entries(refused)) {
    test(`is refused: ${url}`, () => {
      assert.throws(() => parse(url), { name: 'ConfigError', message })
    })
  }

  test('is refused with all problems at once', () => {
    assert.throws(
      () => parse('mongodb://h/db?w=0&timeoutMS=1'),
      (error: Error) => /w=0/.test(error.message) && /timeoutMS/.test(error.message),
    )
  })

  test('is warned of where it lets the engine lose writes or anybody listen', () => {
    const warned = {
      'w=1': /w=1: an election can undo/,
      'w=dc1': /w=dc1/,
      'journal=false': /crash can undo/,
      'tls=true&tlsAllowInvalidCertificates=true': /certificate go unchecked/,
    }
    for (const [query, message] of Object.entries(warned)) {
      assert.match(parse(`mongodb://h/db?${query}`).warnings.join('\n'), message)
    }
  })

  test('is refused before the first attempt to open, where the driver does not take it', async () => {
    for (const url of ['mongodb://u:hunter2@h/db?nonsense=1', 'mongodb://u:hunter2@h/db?maxPoolSize=many']) {
      await assert.rejects(openStore(url), (error: Error) => {
        assert.equal(error.name, 'ConfigError')
        assert.match(error.message, /the MongoDB driver does not take this URL/)
        assert.doesNotMatch(error.message, /hunter2/)
        return true
      })
    }
  })

  test('opens a store that is called mongo', async () => {
    assert.equal((await openStore('mongodb://127.0.0.1:1/db')).name, 'mongo')
  })
})
