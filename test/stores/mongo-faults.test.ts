// What a MongoDB store makes of errors, lost replies, a server that stands still and one that is killed.

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { MongoClient } from 'mongodb'
import type { SessionRecord } from '../../server/sessions/record.ts'
import type { Store } from '../../server/sessions/store.ts'
import { createMongoStore } from '../../server/stores/mongo.ts'
import { sampleSession } from '../../server/testing.ts'
import { startLossyProxy, type LossyProxy } from '../support/lossy-proxy.ts'
import { MONGO_WRITES, newRow, now } from '../support/mongo-calls.ts'
import { mongoPlace, withDatabase } from '../support/mongo-place.ts'
import { startMongoServer, type MongoServer } from '../support/mongo-server.ts'

const STORE_MS = 10_000
/** How much longer than its deadline a call may take on a busy machine. */
const SLACK_MS = 1000
const RECOVERY_MS = 5000

/** `failCommand` of MongoDB's own tests, on the next `times` commands of this name. */
type Failure = Readonly<Record<string, unknown>>

/** Each is an answer of which the driver, or the store, has to find out what it means. */
const FAILURES: Readonly<Record<string, Failure>> = {
  'ShutdownInProgress (91)': { errorCode: 91, errorLabels: ['RetryableWriteError'] },
  'NotWritablePrimary (10107)': { errorCode: 10_107, errorLabels: ['RetryableWriteError'] },
  'InterruptedDueToReplStateChange (11602)': { errorCode: 11_602, errorLabels: ['RetryableWriteError'] },
  'a write that is stored but not confirmed (64)': { writeConcernError: { code: 64, errmsg: 'waiting timed out' } },
  'a closed connection': { closeConnection: true },
  'an answer that comes late': { blockConnection: true, blockTimeMS: 300 },
}

async function openStore(url: string, timeoutMs = STORE_MS): Promise<Store> {
  const store = await createMongoStore({ url, timeoutMs })
  await store.open()
  return store
}

for (const isStandalone of [false, true]) {
  describe(isStandalone ? 'on a single server' : 'on a replica set', () => {
    let server: MongoServer
    let admin: MongoClient
    let store: Store
    let row: SessionRecord

    before(async () => {
      server = await startMongoServer({ isStandalone })
      admin = new MongoClient(server.url)
      store = await openStore(mongoPlace(server.url).url)
    })
    after(async () => {
      await store.close()
      await admin.close()
      await server.stop()
    })
    beforeEach(async () => {
      row = newRow()
      await store.create(row)
    })
    afterEach(() => fail('off', {}))

    const fail = async (mode: 'off' | { readonly times: number }, data: Failure): Promise<void> => {
      await admin.db('admin').command({ configureFailPoint: 'failCommand', mode, ...(mode === 'off' ? {} : { data }) })
    }

    for (const [what, failure] of Object.entries(FAILURES)) {
      // Without a replica set nobody tries again; what was not done then fails, and only endings and touches are repeated.
      const isLost = isStandalone && !('writeConcernError' in failure) && !('blockConnection' in failure)
      for (const { name, command, run, check } of MONGO_WRITES) {
        const isRepeated = ['end', 'endByUser', 'touch'].includes(name)
        test(`${name} meets ${what}: ${isLost && !isRepeated ? 'fails, and nothing was done' : 'done once'}`, async () => {
          await fail({ times: 1 }, { failCommands: [command], ...failure })
          if (!isLost || isRepeated) {
            await run(store, row)
            await fail('off', {})
            await check(store, row)
            return
          }
          await assert.rejects(run(store, row), { name: 'MongoStoreError' })
          await fail('off', {})
          await assert.rejects(check(store, row), { name: 'AssertionError' })
          assert.ok((await store.find(row.key, now))?.live)
        })
      }
    }

    test('an ending is repeated for as long as there is time', async () => {
      await fail({ times: 7 }, { failCommands: ['update'], closeConnection: true })
      assert.equal(await store.end(row.key, 'logout', now), 1)
    })

    describe('behind a proxy that loses a reply', () => {
      let proxy: LossyProxy
      before(async () => {
        proxy = await startLossyProxy(server.port)
      })
      after(() => proxy.close())

      for (const retries of [true, false]) {
        describe(retries ? 'with a driver that tries again' : 'with a driver that does not', () => {
          let lossy: Store
          before(async () => {
            const query = `?directConnection=true&retryWrites=${retries}`
            const place = mongoPlace(`mongodb://127.0.0.1:${proxy.port}/${query}`)
            lossy = await openStore(place.url)
          })
          after(() => lossy.close())

          for (const { name, marker, run, check } of MONGO_WRITES) {
            test(`${name} is done once, and answered as done`, async () => {
              await lossy.create(row)
              const before = proxy.lost()
              proxy.loseReplyTo(marker)
              await run(lossy, row)
              assert.equal(proxy.lost(), before + 1, 'no reply was lost')
              await check(lossy, row)
            })
          }
        })
      }
    })
  })
}

describe('a server that stands still', () => {
  let server: MongoServer
  let store: Store
  before(async () => {
    server = await startMongoServer()
    store = await openStore(withDatabase(server.url, 'stalled'), 1000)
  })
  after(async () => {
    await store.close()
    await server.stop()
  })

  test('fails every call at its deadline, and serves again when it goes on; what had ended stays dead', async () => {
    const [live, ended] = [sampleSession(now), sampleSession(now)]
    await store.create(live)
    await store.create(ended)
    await store.end(ended.key, 'logout', now)
    await server.pause()
    try {
      for (let round = 0; round < 2; round += 1) {
        const started = performance.now()
        const answers = await Promise.allSettled([
          store.find(live.key, now),
          store.create(sampleSession(now)),
          store.update(live.key, {}, now),
          store.replace(live.key, sampleSession(now), {}, now),
          store.endByUser('nobody', 'logout', now),
          store.touch([{ key: live.key, lastSeenAt: now, idleExpiresAt: now }], now),
          store.ping(),
        ])
        for (const answer of answers) {
          assert.ok(answer.status === 'rejected' && answer.reason.name === 'MongoStoreError', 'a call was answered')
        }
        const took = performance.now() - started
        assert.ok(took < 1000 + SLACK_MS, `the calls took ${Math.round(took)} ms`)
      }
    } finally {
      server.resume()
    }
    await recovered(store)
    assert.equal((await store.find(ended.key, now))?.ended?.reason, 'logout')
    const found = await store.find(live.key, now)
    assert.ok(found?.live !== undefined || found?.ended?.reason === 'rotated')
  })

  test('is waited for no longer than the deadline, whatever the URL lets the driver wait', async () => {
    const patient = ['socketTimeoutMS', 'connectTimeoutMS', 'serverSelectionTimeoutMS', 'waitQueueTimeoutMS']
    const query = patient.map((name) => `${name}=20000`).join('&')
    const waiting = await openStore(`${withDatabase(server.url, 'stalled')}?${query}`, 500)
    await server.pause()
    try {
      const started = performance.now()
      await assert.rejects(async () => waiting.find('key', now), /no answer within 500 ms/)
      assert.ok(performance.now() - started < 500 + SLACK_MS)
    } finally {
      server.resume()
      await waiting.close()
    }
  })
})

describe('a server that is killed', () => {
  let server: MongoServer
  let store: Store
  before(async () => {
    server = await startMongoServer()
    store = await openStore(withDatabase(server.url, 'killed'), 2000)
  })
  after(async () => {
    await store.close()
    await server.stop()
  })

  test('loses no session and no ending that was acknowledged', async () => {
    const acknowledged = { live: new Set<string>(), ended: new Set<string>() }
    const over = new AbortController()
    const writer = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const [kept, out] = [sampleSession(now), sampleSession(now)]
        await store.create(kept)
        acknowledged.live.add(kept.key)
        await store.create(out)
        await store.end(out.key, 'logout', now)
        acknowledged.ended.add(out.key)
      }
    }
    const writers = Array.from({ length: 8 }, () => writer().catch(() => undefined)) // it ends with the server
    while (acknowledged.ended.size < 40) await delay(5)
    await server.kill()
    over.abort()
    await Promise.all(writers)
    await server.restart()
    await recovered(store)
    for (const key of acknowledged.live)
      assert.ok((await store.find(key, now))?.live, 'an acknowledged session is lost')
    for (const key of acknowledged.ended) {
      assert.equal((await store.find(key, now))?.ended?.reason, 'logout', 'an acknowledged log-out was undone')
    }
  })

  test('can be away when the store is opened, which is tried again', async () => {
    await server.kill()
    const late = await createMongoStore({ url: withDatabase(server.url, 'late'), timeoutMs: 500 })
    const started = performance.now()
    await assert.rejects(async () => late.open(), { name: 'MongoStoreError' })
    assert.ok(performance.now() - started < 500 + SLACK_MS)
    await assert.rejects(async () => late.ping(), /not open/)
    await server.restart()
    await late.open()
    await late.ping()
    await late.close()
  })
})

/** Asks until it is answered; by itself, with no new store. */
async function recovered(store: Store): Promise<void> {
  const limit = performance.now() + RECOVERY_MS
  for (;;) {
    try {
      return await store.ping()
    } catch (error) {
      if (performance.now() > limit) throw error
      await delay(20)
    }
  }
}
