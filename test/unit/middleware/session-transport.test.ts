import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import express, { type Express } from 'express'
import { resolveConfig, type AuthOptions } from '../../../server/config.ts'
import { transportCheck } from '../../../server/middleware/transport.ts'
import { send } from '../../support/http-client.ts'
import { listen } from '../../support/session-sites.ts'

const PAGE = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

interface Setup {
  readonly options: Partial<AuthOptions>
  readonly production?: boolean
  readonly app?: (app: Express) => void
}

async function start(t: TestContext, { options, production = false, app: prepare }: Setup): Promise<string> {
  const given = {
    pocketbase: 'http://127.0.0.1:1',
    origin: 'http://localhost:1',
    secret: randomBytes(32).toString('base64'),
  }
  const config = resolveConfig({ ...given, logger: SILENT, ...options }, { production })
  const check = transportCheck(config)
  const app = express()
  app.set('env', 'test')
  prepare?.(app)
  app.use((req, res, next) => {
    if (check(req, res)) next()
  })
  app.use((_req, res) => void res.json({ reached: true }))
  app.use(
    (error: Error, _req: express.Request, res: express.Response, _next: unknown) =>
      void res.status(500).json({ message: error.message }),
  )
  return listen(t, app)
}

describe('plain http to an https origin', () => {
  const options = { origin: 'https://app.example.com' }

  test('leads a page to the origin, whatever host and path it came by', async (t) => {
    const at = await start(t, { options, production: true })
    for (const [path, location] of [
      ['/a?b=c', 'https://app.example.com/a?b=c'],
      ['//evil.example/x', 'https://app.example.com/evil.example/x'],
    ] as const) {
      const answer = await send(at, path, { headers: { ...PAGE, host: 'evil.example' } })
      assert.equal(answer.status, 308)
      assert.equal(answer.headers.location, location)
      assert.deepEqual(answer.cookies, [])
    }
  })

  test('refuses everything else', async (t) => {
    const at = await start(t, { options, production: true })
    for (const headers of [{}, { accept: '*/*' }, { accept: 'text/html', 'sec-fetch-mode': 'cors' }]) {
      const answer = await send(at, '/auth/login', { method: 'POST', headers })
      assert.equal(answer.status, 400)
      assert.equal(answer.json()['code'], 'insecure_transport')
      assert.equal(answer.headers.location, undefined)
    }
  })

  test('does not believe a stranger who says that it was https', async (t) => {
    const at = await start(t, { options, production: true })
    const headers = { 'x-forwarded-proto': 'https', host: 'app.example.com' }
    assert.equal((await send(at, '/', { headers })).status, 400)
  })

  test('believes a declared terminator', async (t) => {
    const app = (it: Express): void => void it.set('trust proxy', 1)
    const at = await start(t, { options: { ...options, trustProxy: 1 }, production: true, app })
    const host = { host: 'app.example.com' }
    assert.equal((await send(at, '/', { headers: { ...host, 'x-forwarded-proto': 'https' } })).status, 200)
    assert.equal((await send(at, '/', { headers: { ...host, 'x-forwarded-proto': 'http' } })).status, 400)
  })
})

describe('the app’s trust proxy', () => {
  for (const [setting, trustProxy] of [
    [1, 0],
    [true, 1],
    ['loopback', 1],
    [false, 2],
  ] as const) {
    test(`of ${setting} against ${trustProxy} configured is an error that names both`, async (t) => {
      const at = await start(t, { options: { trustProxy }, app: (app) => void app.set('trust proxy', setting) })
      for (let request = 0; request < 2; request++) {
        const answer = await send(at, '/')
        assert.equal(answer.status, 500)
        const message = String(answer.json()['message'])
        assert.ok(message.includes(JSON.stringify(setting)) && message.includes(`trustProxy is ${trustProxy}`), message)
      }
    })
  }

  for (const [setting, trustProxy] of [
    [false, 0],
    [0, 0],
    [2, 2],
  ] as const) {
    test(`of ${setting} agrees with ${trustProxy}`, async (t) => {
      const at = await start(t, { options: { trustProxy }, app: (app) => void app.set('trust proxy', setting) })
      assert.equal((await send(at, '/')).status, 200)
    })
  }
})

describe('the Host header', () => {
  const app = (it: Express): void => void it.set('trust proxy', 1)
  const production = { options: { origin: 'https://app.example.com', trustProxy: 1 }, production: true, app }
  const https = { 'x-forwarded-proto': 'https' }

  test('of somebody else is refused in production', async (t) => {
    const at = await start(t, production)
    for (const host of ['evil.example', 'app.example.com:8443', 'app.example.com.evil.example', '127.0.0.1', 'a b']) {
      const answer = await send(at, '/', { headers: { ...https, host } })
      assert.equal(answer.status, 421, host)
      assert.equal(answer.json()['code'], 'misdirected')
    }
  })

  test('may be written with its port or in capitals', async (t) => {
    const at = await start(t, production)
    for (const host of ['app.example.com', 'app.example.com:443', 'APP.example.com']) {
      assert.equal((await send(at, '/', { headers: { ...https, host } })).status, 200, host)
    }
    const forwarded = { ...https, host: 'internal', 'x-forwarded-host': 'app.example.com' }
    assert.equal((await send(at, '/', { headers: forwarded })).status, 200)
  })

  test('in another loopback spelling leads a page to the origin in development', async (t) => {
    const at = await start(t, { options: { origin: 'http://localhost:3000' } })
    for (const host of ['127.0.0.1:3000', '[::1]:3000', 'app.localhost:3000']) {
      const answer = await send(at, '/a?b', { headers: { ...PAGE, host } })
      assert.equal(answer.status, 307, host)
      assert.equal(answer.headers.location, 'http://localhost:3000/a?b')
    }
  })

  test('in development goes on for programs, other ports, other names and posts', async (t) => {
    const at = await start(t, { options: { origin: 'http://localhost:3000' } })
    assert.equal((await send(at, '/', { headers: { host: '127.0.0.1:3000' } })).status, 200)
    for (const host of ['127.0.0.1:4000', 'laptop.local:3000', 'localhost:3000']) {
      assert.equal((await send(at, '/', { headers: { ...PAGE, host } })).status, 200, host)
    }
    const post = { method: 'POST', headers: { ...PAGE, host: '127.0.0.1:3000' } }
    assert.equal((await send(at, '/', post)).status, 200)
  })
})
