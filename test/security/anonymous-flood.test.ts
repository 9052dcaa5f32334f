// Somebody without an account sends very many requests: nothing is stored for them, and no cookie is set where none is needed.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import express, { type Express } from 'express'
import { createApp } from '../../server/app.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import { startApp, TEST_SECRET, type StartedApp } from '../support/app.ts'
import { createFaultyStore, type FaultyStore, type StoreMethod } from '../support/faulty-store.ts'
import { send } from '../support/http-client.ts'
import { fieldsOf } from '../support/session-sites.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { cookieValue } from '../../server/sessions/cookie.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
import { createSessionId } from '../../server/sessions/session-id.ts'

let pocketbase: TestPocketBase
let store: FaultyStore
let app: StartedApp

before(async () => {
  pocketbase = await startPocketBase()
  store = createFaultyStore(undefined, { delayMs: 0 })
  app = await startApp({ pocketbase: pocketbase.url, store, build: withReader })
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

/** The complete app behind one that only looks into the session. */
function withReader(auth: Auth, services: OwnedServices): Express {
  const host = express()
  host.use(auth.session())
  host.get('/reads', (req, res) => void res.json({ cart: fieldsOf(req)['cart'] ?? null, id: typeof req.sessionID }))
  host.use(createApp(services))
  return host
}

const WRITES: readonly StoreMethod[] = ['create', 'update', 'touch', 'replace', 'end', 'endByUser', 'claim', 'hit']

/** How often the store was asked for these while `work` ran. */
async function callsDuring(methods: readonly StoreMethod[], work: () => Promise<unknown>): Promise<number> {
  const count = (): number => methods.reduce((sum, method) => sum + store.calls[method], 0)
  const before = count()
  await work()
  return count() - before
}

async function rows(): Promise<number> {
  return (await app.services.sessions.scan(null, 1000)).sessions.length
}

const HTML = { Accept: 'text/html' }
const PLAIN_PAGES = [
  '/',
  '/reads',
  '/nothing-here',
  '/account',
  '/devices',
  '/admin',
  '/health/live',
  '/auth/sessions',
  '/auth/login',
]
const PAGES_WITH_A_FORM = [
  '/login',
  '/register',
  '/forgot-password',
  '/reset-password',
  '/verify-email',
  '/auth/csrf',
  '/auth/status',
]

/** In lots, so that the sockets of this machine last. */
async function flood(count: number, ask: (index: number) => Promise<unknown>): Promise<void> {
  for (let done = 0; done < count; done += 50) {
    await Promise.all(Array.from({ length: Math.min(50, count - done) }, (_, index) => ask(done + index)))
  }
}

describe('a thousand requests without an account', () => {
  it('leave no row and ask the store for nothing', async () => {
    const paths = [...PLAIN_PAGES, ...PAGES_WITH_A_FORM].filter((path) => !path.startsWith('/health'))
    const calls = await callsDuring(['find', ...WRITES], () =>
      flood(1000, (index) => send(app.url, paths[index % paths.length] ?? '/', { headers: HTML })),
    )
    assert.deepEqual([calls, await rows()], [0, 0])
  })

  it('with made-up cookies leave no row and ask the store for nothing', async () => {
    const { name } = app.services.config.cookie
    const foreign = new Secrets([`another ${TEST_SECRET}`])
    const calls = await callsDuring(['find', ...WRITES], () =>
      flood(500, (index) => {
        const id = createSessionId()
        const value = index % 2 === 0 ? `s%3A${id}.${'A'.repeat(43)}` : cookieValue(foreign, id)
        return send(app.url, '/account', { headers: { ...HTML, Cookie: `${name}=${value}` } })
      }),
    )
    assert.deepEqual([calls, await rows()], [0, 0])
  })

  it('that post without a token leave no row, count nothing and ask nobody', async () => {
    const calls = await callsDuring(WRITES, () =>
      flood(300, (index) => {
        const path = ['/auth/login', '/auth/register', '/auth/password-reset'][index % 3] ?? ''
        const headers = { 'Content-Type': 'application/json', Origin: app.origin }
        return send(app.url, path, {
          method: 'POST',
          headers,
          body: '{"identity":"a@example.com","email":"a@example.com","password":"x"}',
        })
      }),
    )
    assert.deepEqual([calls, await rows()], [0, 0])
  })

  it('that sign in wrongly, or out, leave no session', async () => {
    await flood(20, async () => {
      const browser = app.browser()
      await browser.login('nobody@example.com', 'guessed wrong')
      await browser.json('/auth/logout')
      await browser.json('/auth/logout-everywhere')
    })
    assert.equal(await rows(), 0)
  })
})

describe('a cookie', () => {
  it('is set by no page without a form, and by no error', async () => {
    for (const path of PLAIN_PAGES) {
      for (const accept of ['text/html', 'application/json']) {
        assert.deepEqual((await send(app.url, path, { headers: { Accept: accept } })).cookies, [], `${path} ${accept}`)
      }
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      assert.deepEqual(
        (await send(app.url, '/auth/login', { method, headers: { Origin: 'https://evil.test' } })).cookies,
        [],
      )
    }
  })

  it('of a page with a form is the pre-login one alone, signed, and not set again while it is good', async () => {
    for (const path of PAGES_WITH_A_FORM) {
      const { cookies } = await send(app.url, path, { headers: HTML })
      assert.deepEqual(
        cookies.map((line) => line.split('=')[0]),
        [app.services.config.cookie.preName],
        path,
      )
      const again = await send(app.url, path, { headers: { ...HTML, Cookie: cookies[0]?.split(';')[0] ?? '' } })
      assert.deepEqual(again.cookies, [], path)
    }
  })

  it('of the pre-login name that somebody made up is replaced, not adopted', async () => {
    const { preName } = app.services.config.cookie
    const made = `${preName}=${app.clock.now().toString(36)}.${'a'.repeat(22)}.${'b'.repeat(43)}`
    const { cookies } = await send(app.url, '/login', { headers: { ...HTML, Cookie: made } })
    assert.equal(cookies.length, 1)
    assert.ok(!cookies[0]?.includes('a'.repeat(22)))
  })
})
