// Opening a MongoDB store: indexes that the operator has made otherwise or alone may make, warnings, and errors that show nothing.

import assert from 'node:assert/strict'
import { after, afterEach, before, describe, test, type TestContext } from 'node:test'
import { MongoClient } from 'mongodb'
import { describeError } from '../../server/logger.ts'
import type { Store } from '../../server/sessions/store.ts'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { testStore } from '../../server/testing.ts'
import { newRow, now } from '../support/mongo-calls.ts'
import { mongoPlace, PATIENT_MS, withMongo } from '../support/mongo-place.ts'
import { startMongoServer, type MongoServer } from '../support/mongo-server.ts'

describe('opening a MongoDB store', () => {
  let server: MongoServer
  let admin: MongoClient
  before(async () => {
    server = await startMongoServer()
    admin = new MongoClient(server.url)
  })
  after(async () => {
    await admin.close()
    await server.stop()
  })
  afterEach(() => refuseIndexes(false))

  const refuseIndexes = async (isOn: boolean): Promise<void> => {
    const data = isOn ? { data: { failCommands: ['createIndexes'], errorCode: 13 } } : {}
    const mode = isOn ? 'alwaysOn' : 'off'
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode, ...data })
  }
  const open = async (t: TestContext, url = mongoPlace(server.url).url): Promise<Store> => {
    const store = await createMongoStore({ url, timeoutMs: PATIENT_MS })
    t.after(() => store.close())
    await store.open()
    return store
  }

  test('makes the indexes, once, and has nothing to warn of', async (t) => {
    const { url } = mongoPlace(server.url)
    for (let count = 0; count < 2; count += 1) {
      const store = await open(t, url)
      assert.deepEqual(await store.warnings?.(), [])
    }
    const indexes = await withMongo(url, (db) => db.collection('pbs_sessions').indexes())
    assert.deepEqual(indexes.map(({ key }) => JSON.stringify(key)).toSorted(), [
      '{"_id":1}',
      '{"deleteAt":1}',
      '{"userId":1,"expiresAt":1}',
    ])
  })

  test('accepts an index that was made with other options, and says so', async (t) => {
    const { url } = mongoPlace(server.url)
    await withMongo(url, (db) => db.collection('pbs_sessions').createIndex({ deleteAt: 1 }, { expireAfterSeconds: 99 }))
    const store = await open(t, url)
    const warnings = (await store.warnings?.()) ?? []
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /other options.*db\.pbs_sessions\.createIndex\(\{"deleteAt":1\}/)
    await store.create(newRow())
  })

  test('says which indexes are missing where it may not make them, and serves', async (t) => {
    await refuseIndexes(true)
    const store = await open(t)
    const warnings = (await store.warnings?.()) ?? []
    assert.equal(warnings.length, 5)
    assert.match(warnings.join('\n'), /run db\.pbs_sessions\.createIndex\(\{"userId":1,"expiresAt":1\}, \{\}\)/)
    await store.ping()
  })

  test('warns of w=1', async (t) => {
    const store = await open(t, `${mongoPlace(server.url).url}?w=1`)
    assert.match(String(await store.warnings?.()), /w=1: an election can undo writes/)
    await store.create(newRow())
  })

  test('ends what it has begun when it is closed meanwhile', async () => {
    const store = await createMongoStore({ url: mongoPlace(server.url).url })
    const opening = store.open()
    await store.close()
    await opening
    await assert.rejects(async () => store.ping(), /not open/)
  })

  test('can be opened anew after it was closed', async (t) => {
    const store = await open(t)
    await store.close()
    await store.open()
    await store.ping()
    await store.close()
  })

  test('shows neither keys nor the password in its errors', async (t) => {
    const { url } = mongoPlace(server.url)
    const store = await open(t, url)
    const row = newRow()
    await store.create(row)
    const wrong = await createMongoStore({ url: url.replace('//', '//ann:hunter2@'), timeoutMs: 2000 })
    const errors = await Promise.all([
      failureOf(async () => store.create(row)),
      failureOf(async () => wrong.open()),
      failureOf(() => createMongoStore({ url: 'mongodb://ann:hunter2@host/db?nonsense=hunter2' })),
      failureOf(() => createMongoStore({ url: 'mongodb://ann:hunter2@x/y@host/db' })),
    ])
    const shown = errors.map((error) => `${String(error)} ${JSON.stringify(describeError(error))}`).join('\n')
    const hexOfKey = Buffer.from(row.key).toString('hex')
    for (const secret of ['hunter2', row.key, hexOfKey, hexOfKey.toUpperCase(), row.handle]) {
      assert.ok(!shown.includes(secret), `an error shows ${secret}`)
    }
    assert.match(shown, /exists already/)
    assert.match(shown, /open failed: MongoServerError, code 18/)
  })

  test('is not "not there" where it could not look', async (t) => {
    const store = await open(t)
    const row = newRow()
    await store.create(row)
    const data = { failCommands: ['find'], errorCode: 8000 }
    await admin.db('admin').command({ configureFailPoint: 'failCommand', mode: { times: 2 }, data })
    await assert.rejects(async () => store.find(row.key, now), { name: 'MongoStoreError', code: 8000 })
  })

  testStore(
    'mongo without any index',
    () =>
      mongoPlace(server.url, async (url) => {
        await refuseIndexes(true)
        return createMongoStore({ url, timeoutMs: PATIENT_MS })
      }),
    { properties: { runs: 5 } },
  )

  testStore('mongo with linearizable reads', () => mongoPlace(`${server.url}/?readConcernLevel=linearizable`), {
    properties: { runs: 5 },
  })
})

async function failureOf(work: () => unknown): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'a failure was expected' })
}
