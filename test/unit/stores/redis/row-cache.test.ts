import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RedisKeys } from '../../../../server/stores/redis/keys.ts'
import { Lease } from '../../../../server/stores/redis/lease.ts'
import { RowCache } from '../../../../server/stores/redis/row-cache.ts'
import type { RedisRow } from '../../../../server/stores/redis/rows.ts'
import { sampleSession } from '../../../../server/testing.ts'

const keys = new RedisKeys('p:')

async function setUp(maxBytes = 100_000) {
  const lease = new Lease(async () => {}, 60_000)
  lease.renew('row', performance.now())
  await new Promise(setImmediate)
  return { cache: new RowCache(keys, maxBytes), lease }
}

function row(): { readonly key: string; readonly row: RedisRow } {
  const record = sampleSession(Date.now())
  return { key: record.key, row: { record, ended: null } }
}

function read(cache: RowCache, key: string, lease: Lease | undefined) {
  const reading = cache.startReading(key)
  assert.ok(reading)
  reading.lease = lease
  return reading
}

test('keeps a row in bytes of its own until Redis names it', async () => {
  const { cache, lease } = await setUp()
  const { key, row: mine } = row()
  const kept = cache.keep(read(cache, key, lease), mine)
  assert.equal(cache.find(key), kept)
  for (const [name, bytes] of mine.record.fields) {
    assert.deepEqual(Buffer.from(kept.record.fields.get(name) ?? []), bytes)
    assert.notEqual(kept.record.fields.get(name)?.buffer, bytes.buffer, 'it holds on to what came over the network')
  }
  cache.invalidate(keys.row(row().key))
  assert.equal(cache.find(key), kept)
  cache.invalidate(keys.row(key))
  assert.equal(cache.find(key), undefined)
})

for (const [what, happens] of [
  ['named by Redis', (cache: RowCache, key: string) => cache.invalidate(keys.row(key))],
  ['written here', (cache: RowCache, key: string) => cache.drop(key)],
  ['gone with all others', (cache: RowCache) => cache.invalidate(null)],
] as const) {
  test(`a reading is not kept when its row was ${what} meanwhile`, async () => {
    const { cache, lease } = await setUp()
    const { key, row: mine } = row()
    const overtaken = read(cache, key, lease)
    happens(cache, key)
    const later = read(cache, key, lease)
    assert.equal(cache.keep(overtaken, mine), mine)
    cache.endReading(overtaken)
    assert.equal(cache.find(key), undefined)
    const kept = cache.keep(later, mine)
    cache.endReading(later)
    assert.equal(cache.find(key), kept)
  })
}

test('of readings at the same time the first is kept', async () => {
  const { cache, lease } = await setUp()
  const { key } = row()
  const first = read(cache, key, lease)
  assert.equal(cache.startReading(key), undefined)
  cache.endReading(first)
  assert.ok(cache.startReading(key))
})

test('keeps nothing without a lease, after its end, or of a session that has ended', async () => {
  const { cache, lease } = await setUp()
  const { key, row: mine } = row()
  const isKept = (of: Lease | undefined, it = mine): boolean => {
    const reading = read(cache, key, of)
    cache.keep(reading, it)
    cache.endReading(reading)
    return cache.find(key) !== undefined
  }
  const ended = { reason: 'logout', endedAt: 0, userId: null } as const
  assert.ok(!isKept(undefined))
  assert.ok(!isKept(lease, { ...mine, ended }))
  assert.ok(isKept(lease))
  lease.end()
  assert.equal(cache.find(key), undefined)
  assert.ok(!isKept(lease))
})

test('is bounded in bytes', async () => {
  const { cache, lease } = await setUp(40_000)
  const rows = Array.from({ length: 100 }, row)
  for (const { key, row: mine } of rows) cache.keep(read(cache, key, lease), mine)
  const kept = rows.filter(({ key }) => cache.find(key) !== undefined)
  assert.ok(kept.length > 10 && kept.length <= 20, `${kept.length} rows are kept`)
  assert.ok(cache.find(rows.at(-1)?.key ?? ''))
})
