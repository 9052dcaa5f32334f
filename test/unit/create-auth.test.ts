import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { describe, it, type TestContext } from 'node:test'
import { createAuth } from '../../server/create-auth.ts'
import { ConfigError } from '../../server/errors.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import { startApp, TEST_SECRET } from '../support/app.ts'
import { send } from '../support/http-client.ts'
import type { AddressInfo } from 'node:net'
import type { AuthOptions } from '../../server/config.ts'
import type { Store } from '../../server/sessions/store.ts'

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
/** Nobody listens on the discard port. */
const NOBODY = 'http://127.0.0.1:9'
const OPTIONS: AuthOptions = {
  pocketbase: NOBODY,
  origin: 'http://localhost:3000',
  secret: TEST_SECRET,
  store: 'memory:',
  logger: SILENT,
}

describe('createAuth', () => {
  it('rejects wrong options with all problems at once', async () => {
    await assert.rejects(createAuth({ ...OPTIONS, origin: 'nonsense', secret: 'short' }), (error: unknown) => {
      assert.ok(error instanceof ConfigError)
      assert.equal(error.problems.length, 2)
      return true
    })
  })

  it('rejects a store that no URL names', async () => {
    await assert.rejects(createAuth({ ...OPTIONS, store: 'carrier-pigeon:home' }), ConfigError)
  })

  it('rejects a store that opens nothing as it is configured', async () => {
    const store = derive(createMemoryStore(), {
      open() {
        throw new ConfigError(['store: this is the database of something else'])
      },
    })
    await assert.rejects(createAuth({ ...OPTIONS, store }), /something else/)
  })

  it('logs what its store has to say about its engine', async (t) => {
    const store = derive(createMemoryStore(), { warnings: () => ['it may evict sessions'] })
    const app = await startApp({ pocketbase: NOBODY, store })
    t.after(() => app.close())
    assert.match(app.logs.join(''), /"level":40.*it may evict sessions/)
  })

  it('can be required: nothing in the library awaits at the top level', () => {
    const require = createRequire(import.meta.url)
    const kit = require('../../server/index.ts') as Record<string, unknown>
    assert.equal(typeof kit['createAuth'], 'function')
  })

  it('starts without PocketBase: pages are served, a login is a 503', async (t) => {
    const app = await startApp({ pocketbase: NOBODY })
    t.after(() => app.close())
    const browser = app.browser()
    assert.equal((await browser.page('/login')).status, 200)
    const login = await browser.login('ann@example.com', 'correct horse 1')
    assert.deepEqual([login.status, login.json()['code']], [503, 'pocketbase_unavailable'])
    assert.ok(Number(login.headers['retry-after']) > 0)
  })

  it('starts without its store: what needs it is a 503 until it is there', async (t) => {
    const { store, openNow } = lateStore()
    const app = await startApp({ pocketbase: NOBODY, store })
    t.after(() => app.close())
    const browser = app.browser()
    assert.equal((await browser.get('/health/ready')).status, 503)
    assert.equal((await browser.get('/health/live')).status, 200)
    await openNow()
    assert.equal((await browser.get('/health/ready')).status, 200)
    assert.match(app.logs.join(''), /the session store cannot be opened; trying again/)
  })

  it('logs each unsafe override', async (t) => {
    const app = await startApp({ pocketbase: NOBODY, secret: 'short', unsafe: { weakSecret: true } })
    t.after(() => app.close())
    assert.match(app.logs.join(''), /"event":"config_unsafe_override","name":"weakSecret"/)
  })

  it('turns profiles off where PocketBase has none, and warns', async (t) => {
    const app = await startApp({ pocketbase: await barePocketBase(t) })
    t.after(() => app.close())
    assert.equal(app.services.config.profile, false)
    assert.match(app.logs.join(''), /profiles are off/)
    assert.doesNotMatch((await app.browser().page('/register')).text, /profile\.displayName/)
  })

  it('writes what waits and closes its store', async () => {
    let isClosed = false
    const memory = createMemoryStore()
    const store = derive(memory, { close: () => void (isClosed = true) })
    const auth = await createAuth({ ...OPTIONS, store })
    await auth.close()
    assert.equal(isClosed, true)
  })
})

describe('the app', () => {
  it('answers an unknown address with a page or a problem', async (t) => {
    const app = await startApp({ pocketbase: NOBODY })
    t.after(() => app.close())
    const page = await app.browser().page('/nowhere')
    assert.deepEqual([page.status, String(page.headers['content-type']).split(';')[0]], [404, 'text/html'])
    const problem = await app.browser().get('/nowhere')
    assert.deepEqual([problem.status, problem.json()['code']], [404, 'not_found'])
  })

  it('serves its files without a look at cookies', async (t) => {
    const app = await startApp({ pocketbase: NOBODY })
    t.after(() => app.close())
    const [path = ''] = /\/assets\/auth\/style\.[^"]+/.exec((await app.browser().page('/login')).text) ?? []
    const file = await send(app.url, path, { headers: { Cookie: `${app.services.config.cookie.name}=rubbish` } })
    assert.equal(file.status, 200)
    assert.match(String(file.headers['cache-control']), /immutable/)
    assert.deepEqual(file.cookies, [])
  })
})

/** A store that cannot be opened until the test says so. */
function lateStore(): { readonly store: Store; readonly openNow: () => Promise<void> } {
  const memory = createMemoryStore()
  const opened = Promise.withResolvers<void>()
  let isThere = false
  const refuse = (): never => {
    throw new Error('the store is away')
  }
  const store = derive(memory, {
    ping: () => (isThere ? undefined : refuse()),
    open() {
      if (!isThere) refuse()
      opened.resolve()
    },
  })
  return {
    store,
    openNow() {
      isThere = true
      return opened.promise
    },
  }
}

/** `store` with some methods of its own. */
function derive(store: Store, methods: Partial<Store>): Store {
  return Object.assign(Object.create(store) as Store, methods)
}

/** What a PocketBase without our hooks and without profiles says. */
async function barePocketBase(t: TestContext): Promise<string> {
  const server = createServer((req, res) => {
    const isUsers = req.url?.startsWith('/api/collections/users/') === true
    res.writeHead(isUsers ? 200 : 404, { 'Content-Type': 'application/json' })
    res.end(
      JSON.stringify(isUsers ? { page: 1, perPage: 1, items: [] } : { status: 404, message: 'Missing.', data: {} }),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
