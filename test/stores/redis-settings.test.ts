// How a Redis server is set up: what it could lose, how one signs in to it, and that nobody reads the password anywhere.

import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { Store } from '../../server/sessions/store.ts'
import { openStore } from '../../server/stores/open.ts'
import { sampleSession } from '../../server/testing.ts'
import { startRedisServer, type RedisServer, type RedisServerOptions } from '../support/redis-server.ts'
import { temporaryFolder } from '../support/stores.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/test-certificate.ts'
import { join } from 'node:path'

const PASSWORD = 'hunter2-hunter2'
const TIMEOUT_MS = 2000

test('a server that evicts nothing and keeps an append-only file gives no warning', async (t) => {
  const { store } = await serverAndStore(t)
  assert.deepEqual(await store.warnings?.(), [])
})

test('a server that may evict or forget sessions gives a warning of each', async (t) => {
  const { store } = await serverAndStore(t, { settings: { 'maxmemory-policy': 'allkeys-lru', appendonly: 'no' } })
  const warnings = (await store.warnings?.()) ?? []
  assert.equal(warnings.length, 2)
  assert.match(warnings[0] ?? '', /maxmemory-policy allkeys-lru.*noeviction/)
  assert.match(warnings[1] ?? '', /appendonly no.*yes/)
})

test('a server that hides its settings gives a warning, and is used', async (t) => {
  const { store } = await serverAndStore(t, { settings: { 'rename-command CONFIG': '""' } })
  const warnings = (await store.warnings?.()) ?? []
  assert.equal(warnings.length, 2)
  for (const warning of warnings) assert.match(warning, /does not show/)
  await assertUsable(store)
})

test('a server that lets nobody load scripts is sent each of them whole', async (t) => {
  const user = `app on >${PASSWORD} ~pbs:* +@all -script -config`
  const { server } = await serverAndStore(t, { settings: { user } })
  await assertUsable(await openOn(t, `redis://app:${PASSWORD}@${server.address}`))
})

test('a server whose scripts were flushed is sent them again', async (t) => {
  const { server, store } = await serverAndStore(t)
  await server.run('SCRIPT', 'FLUSH')
  await assertUsable(store)
})

test('a password opens the server, a wrong one does not, and no error shows either', async (t) => {
  const server = await startServer(t, { settings: { requirepass: PASSWORD } })
  await assertUsable(await openOn(t, `redis://:${PASSWORD}@${server.address}`))
  const store = await openStore(`redis://:not-${PASSWORD}@${server.address}`, { timeoutMs: TIMEOUT_MS })
  t.after(() => store.close())
  await assert.rejects(async () => store.open(), showsNoPassword)
  await assert.rejects(async () => store.find(sampleSession(0).key, 0), showsNoPassword)
  assert.doesNotMatch(inspect(store, { depth: 20, showHidden: true }), new RegExp(PASSWORD))
})

test('a server that is away is named without the password', async () => {
  const store = await openStore(`redis://ann:${PASSWORD}@127.0.0.1:1`, { timeoutMs: TIMEOUT_MS })
  await assert.rejects(async () => store.open(), showsNoPassword)
  await store.close()
})

test('rediss:// speaks TLS, and trusts nobody but the authorities it was given', async (t) => {
  const server = await startServer(t, { tls: { cert: TEST_CERTIFICATE, key: TEST_KEY } })
  const ca = join(temporaryFolder(t), 'ca.pem')
  writeFileSync(ca, TEST_CERTIFICATE)
  await assertUsable(await openOn(t, `rediss://${server.address}?ca=${encodeURIComponent(ca)}`))
  const store = await openStore(`rediss://${server.address}`, { timeoutMs: TIMEOUT_MS })
  t.after(() => store.close())
  await assert.rejects(async () => store.open())
})

test('two stores with different prefixes on one server do not see each other', async (t) => {
  const { server, store } = await serverAndStore(t)
  const other = await openOn(t, `redis://${server.address}?prefix=other:`)
  const record = sampleSession(Date.now())
  await store.create(record)
  assert.equal(await other.find(record.key, Date.now()), undefined)
  await other.endByUser(record.userId ?? '', 'logout_everywhere', Date.now())
  assert.ok((await store.find(record.key, Date.now()))?.live)
})

test('Redis itself deletes what nobody sweeps, but not before it may go', async (t) => {
  const { server, store } = await serverAndStore(t)
  const now = Date.now()
  const record = sampleSession(now)
  await store.create(record)
  await store.claim('token', now + 1000, now)
  await store.hit('login', 1000, now)
  await store.endByUser(record.userId ?? '', 'logout_everywhere', now)
  for (const key of (await server.run('KEYS', '*')) as string[]) {
    const ttl = Number(await server.run('PTTL', key))
    if (/\{x:|:epoch$/.test(key)) assert.equal(ttl, -1, `${key} would go`)
    else assert.ok(ttl > 1000, `${key} would go after ${ttl} ms`)
    if (/\}s:|\}rows|\}epoch/.test(key)) assert.ok(ttl > 86_400_000, `${key} would go after ${ttl} ms`)
  }
})

async function startServer(t: TestContext, options: RedisServerOptions = {}): Promise<RedisServer> {
  const server = await startRedisServer(options)
  t.after(() => server.stop())
  return server
}

async function serverAndStore(t: TestContext, options: RedisServerOptions = {}) {
  const server = await startServer(t, options)
  return { server, store: await openOn(t, server.url) }
}

async function openOn(t: TestContext, url: string): Promise<Store> {
  const store = await openStore(url, { timeoutMs: TIMEOUT_MS })
  t.after(() => store.close())
  await store.open()
  return store
}

async function assertUsable(store: Store): Promise<void> {
  const now = Date.now()
  const record = sampleSession(now)
  await store.create(record)
  assert.ok((await store.find(record.key, now))?.live)
  assert.equal(await store.end(record.key, 'logout', now), 1)
}

function showsNoPassword(error: unknown): boolean {
  assert.doesNotMatch(inspect(error, { depth: 20, showHidden: true }), new RegExp(PASSWORD))
  return true
}
