// What the contract cannot see of a race: that nobody waits in a circle, and that nodes share the work of expiry.

import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { Store } from '../../server/sessions/store.ts'
import { createClock, sampleSession } from '../../server/testing.ts'
import { postgresPlace, query } from '../support/postgres-place.ts'
import { startPostgresServer, type PostgresServer } from '../support/postgres-server.ts'

const now = createClock().now()
const USER = 'user0000000ann0'

describe('PostgreSQL with several nodes on it', () => {
  let server: PostgresServer
  before(async () => {
    server = await startPostgresServer()
  })
  after(() => server.stop())

  async function openStores(t: TestContext, count: number) {
    const place = postgresPlace(server.url)
    const stores: Store[] = await Promise.all(Array.from({ length: count }, async () => place.connect()))
    for (const store of stores) await store.open()
    const close = async (): Promise<void> => {
      for (const store of stores) await store.close()
    }
    t.after(async () => {
      await close()
      await place.dispose()
    })
    const [first, second] = stores
    assert.ok(first && second)
    return { stores, first, second, schema: place.schema, close }
  }

  test('touches, updates and endings of the same sessions never wait in a circle, and lose nothing', async (t) => {
    const { stores, first, close } = await openStores(t, 3)
    const records = Array.from({ length: 100 }, () => sampleSession(now, { userId: USER }))
    for (const record of records) await first.create(record)
    const touches = records.map(({ key }, i) => ({ key, lastSeenAt: now + i, idleExpiresAt: now + 8_000_000 + i }))
    const backwards = touches.toReversed()
    const rounds = Array.from({ length: 20 }, async (_, round) => {
      const store = stores[round % stores.length]
      await store?.touch(round % 2 ? touches : backwards, now)
      await store?.update(records[round]?.key ?? '', { set: new Map([[`f${round}`, Uint8Array.of(1)]]) }, now)
    })
    await Promise.all(rounds)
    for (const [i, { key }] of records.entries()) {
      const live = (await first.find(key, now))?.live
      assert.equal(live?.lastSeenAt, now + i)
      assert.equal(live.version, i < 20 ? 2 : 1)
    }
    const endings = stores.map(async (store) => store.endByUser(USER, 'logout_everywhere', now))
    const late = stores.map(async (store, i) => store.touch(i % 2 ? touches : backwards, now))
    const [counts] = await Promise.all([Promise.all(endings), Promise.all(late)])
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      records.length,
    )
    await close() // a connection hands in its statistics when it ends
    const [found] = await query(server.url, 'SELECT sum(deadlocks) FROM pg_stat_database')
    assert.equal(found?.['sum'], '0')
  })

  test('a touch of a session twice in one call takes the larger values of both', async (t) => {
    const { first } = await openStores(t, 2)
    const { key } = sampleSession(now)
    await first.create(sampleSession(now, { key }))
    const touches = [
      { key, lastSeenAt: now + 5, idleExpiresAt: now + 9_000_000 },
      { key, lastSeenAt: now + 7, idleExpiresAt: now + 8_000_000 },
    ]
    await first.touch(touches, now)
    const live = (await first.find(key, now))?.live
    assert.deepEqual([live?.lastSeenAt, live?.idleExpiresAt], [now + 7, now + 9_000_000])
  })

  test('nodes that expire at once share the work, and none waits for a row that another holds', async (t) => {
    const { stores, first, second, schema } = await openStores(t, 3)
    const records = Array.from({ length: 200 }, () => sampleSession(now, { expiresAt: now + 1 }))
    for (const record of records) await first.create(record)
    const counts = await Promise.all(
      Array.from({ length: 9 }, async (_, i) => stores[i % 3]?.deleteExpired(now + 1, 20) ?? 0),
    )
    let total = counts.reduce((sum, count) => sum + count, 0)
    for (let count = 1; count > 0; total += count) count = await first.deleteExpired(now + 1, 20)
    assert.equal(total, records.length)

    const [held, free] = [sampleSession(now, { expiresAt: now + 1 }), sampleSession(now, { expiresAt: now + 1 })]
    await first.create(held)
    await first.create(free)
    const lock = query(
      server.url,
      `BEGIN; SELECT FROM ${schema}.pbs_sessions WHERE key = '${held.key}' FOR UPDATE; SELECT pg_sleep(1); COMMIT`,
    )
    const sleeping = `SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'`
    while ((await query(server.url, sleeping))[0]?.['count'] === '0');
    assert.equal(await second.deleteExpired(now + 1, 20), 1)
    assert.equal(await second.find(free.key, now), undefined)
    await lock
    assert.equal(await second.deleteExpired(now + 1, 20), 1)
  })
})
