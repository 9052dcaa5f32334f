import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Express, RequestHandler } from 'express'
import { errorHandler } from '../../../server/middleware/error-handler.ts'
import {
  requireAuth,
  requireFresh,
  requireGuest,
  requireRole,
  requireVerified,
} from '../../../server/middleware/guards.ts'
import type { Services } from '../../../server/services.ts'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import type { Sent } from '../../support/http-client.ts'
import { startWeb, userRecord, type Web } from '../../support/web.ts'

const HTML = { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate' }
const passed: RequestHandler = (_req, res) => void res.send('passed')

function build(app: Express, services: Services): void {
  app.use('/auth-only', requireAuth(services), passed)
  app.use('/editors', requireRole(services, 'editor', 'admin'), passed)
  app.use('/editors-too', requireAuth(services, { roles: ['editor'] }), passed)
  app.use('/guests', requireGuest(services), passed)
  app.use('/verified', requireVerified(services), passed)
  app.use('/fresh', requireFresh(services), passed)
  app.use('/fresh-minute', requireFresh(services, { maxAgeMs: 60_000 }), passed)
  app.use(
    errorHandler(services, async ({ config }, { res }, page, { status }) => {
      res.status(status).send(`page ${page} of ${config.origin}`)
    }),
  )
}

const start = (t: TestContext): Promise<Web> => startWeb(t, { build })
const withCookie = (cookie: string, headers: Sent['headers'] = {}): Sent => ({
  headers: { Cookie: cookie, ...headers },
})

test('lets the signed-in pass', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn()
  for (const path of ['/auth-only', '/verified', '/fresh', '/fresh-minute']) {
    assert.equal((await web.send(path, withCookie(cookie))).text, 'passed', path)
  }
})

test('answers a program without a session 401, with a session but no user too', async (t) => {
  const web = await start(t)
  const { cookie } = await web.anonymous()
  for (const path of ['/auth-only', '/editors', '/editors-too', '/verified', '/fresh']) {
    for (const sent of [{}, withCookie(cookie)]) {
      const answer = await web.send(path, sent)
      assert.equal(answer.status, 401, path)
      assert.equal(answer.json()['code'], 'unauthenticated')
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  }
})

test('sends a page visitor to the login page and back', async (t) => {
  const web = await start(t)
  const answer = await web.send('/auth-only/reports?year=2026&q=a%20b', { headers: HTML })
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.location, '/login?returnTo=%2Fauth-only%2Freports%3Fyear%3D2026%26q%3Da%2520b')
  assert.equal(answer.headers['cache-control'], 'no-store')
})

test('sends a page visitor back only to what can be asked for again, on this site', async (t) => {
  const web = await start(t)
  const location = async (path: string, method = 'GET'): Promise<unknown> =>
    (await web.send(path, { method, headers: HTML })).headers.location
  assert.equal(await location('/auth-only', 'POST'), '/login')
  assert.equal(await location('/auth-only', 'HEAD'), '/login?returnTo=%2Fauth-only')
  assert.equal(await location('/auth-only/..//evil.test'), '/login')
  assert.equal(await location('/auth-only/%5cevil.test'), '/login')
})

test('says why a session has ended, and sends a page visitor to the login page', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn()
  await web.services.sessions.end(live, 'revoked')
  const answer = await web.send('/auth-only', withCookie(cookie))
  assert.equal(answer.status, 401)
  assert.equal(answer.json()['code'], 'session_expired')
  assert.equal(answer.json()['reason'], 'revoked')
  assert.equal((await web.send('/auth-only', withCookie(cookie, HTML))).status, 303)
})

test('takes a session that timed out as ended, with its reason', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn()
  web.clock.advance(web.services.config.session.idleTimeoutMs + 1)
  assert.equal((await web.send('/auth-only', withCookie(cookie))).json()['reason'], 'idle_timeout')
})

test('answers 503 where the store cannot be asked, to programs, pages and guests, and leaves the cookie alone', async (t) => {
  const store = createMemoryStore()
  const web = await startWeb(t, { build, store })
  const { cookie } = await web.signIn()
  store.find = () => {
    throw new Error('store is down')
  }
  for (const path of ['/auth-only', '/editors', '/guests', '/verified', '/fresh']) {
    for (const headers of [{}, HTML]) {
      const answer = await web.send(path, withCookie(cookie, headers))
      assert.equal(answer.status, 503, path)
      assert.equal(answer.headers['retry-after'], '5')
      assert.deepEqual(answer.cookies, [])
    }
  }
})

test('goes on with a session that PocketBase cannot confirm, and after maxStaleMs answers 503, not 401', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn()
  web.pocketbase.down = true
  web.clock.advance(web.services.config.revalidate.maxStaleMs - 1000)
  assert.equal((await web.send('/auth-only', withCookie(cookie))).text, 'passed')
  web.clock.advance(2000)
  const answer = await web.send('/auth-only', withCookie(cookie))
  assert.equal(answer.status, 503)
  assert.equal(answer.json()['code'], 'pocketbase_unavailable')
  assert.equal((await web.send('/auth-only', withCookie(cookie, HTML))).status, 503)
  web.pocketbase.down = false
  web.clock.advance(6000)
  assert.equal((await web.send('/auth-only', withCookie(cookie))).text, 'passed')
})

test('asks PocketBase for the role each time: one that was given or taken away counts at once', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn({ role: 'user' })
  const id = live.record.userId ?? ''
  for (const path of ['/editors', '/editors-too']) {
    web.pocketbase.users.set(id, userRecord({ role: 'user' }))
    assert.equal((await web.send(path, withCookie(cookie))).json()['code'], 'forbidden')
    web.pocketbase.users.set(id, userRecord({ role: 'editor' }))
    assert.equal((await web.send(path, withCookie(cookie))).text, 'passed')
  }
  const refusals = web.events.filter(({ name }) => name === 'authz_fail').map(({ event }) => event)
  assert.deepEqual(refusals[0], { path: '/editors/', userId: id, ip: '127.0.0.1', role: 'editor admin' })
  assert.ok(web.pocketbase.asked.refreshes >= 4)
})

test('shows a page visitor without the role an error page', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn()
  const answer = await web.send('/editors', withCookie(cookie, HTML))
  assert.equal(answer.status, 403)
  assert.equal(answer.text, `page error of ${web.origin}`)
})

test('lets nobody use a role while PocketBase cannot be asked', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn({ role: 'admin' })
  web.pocketbase.down = true
  const answer = await web.send('/editors', withCookie(cookie))
  assert.equal(answer.status, 503)
  assert.equal(answer.json()['code'], 'pocketbase_unavailable')
  assert.equal((await web.send('/auth-only', withCookie(cookie))).text, 'passed')
})

test('ends the session of a user whom PocketBase no longer knows', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn({ role: 'admin' })
  web.pocketbase.users.clear()
  const answer = await web.send('/editors', withCookie(cookie))
  assert.equal(answer.json()['code'], 'session_expired')
  assert.equal(answer.json()['reason'], 'token_rejected')
  assert.equal((await web.services.sessions.reload(live))?.ended?.reason, 'token_rejected')
})

test('lets guests pass and sends the signed-in on', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn()
  assert.equal((await web.send('/guests')).text, 'passed')
  const answer = await web.send('/guests', withCookie(cookie, HTML))
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.location, '/account')
  await web.services.sessions.end(live, 'logout')
  assert.equal((await web.send('/guests', withCookie(cookie))).text, 'passed')
})

test('asks for a confirmed address', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn({ verified: false })
  const answer = await web.send('/verified', withCookie(cookie))
  assert.equal(answer.json()['code'], 'forbidden')
  assert.match(String(answer.json()['detail']), /confirm your e-mail/)
})

test('asks for a fresh proof, not for a session that is merely in use', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn()
  web.clock.advance(60_001)
  assert.equal((await web.send('/fresh-minute', withCookie(cookie))).json()['code'], 'reauth_required')
  assert.equal((await web.send('/fresh', withCookie(cookie))).text, 'passed')
  web.clock.advance(web.services.config.session.freshForMs)
  assert.equal((await web.send('/fresh', withCookie(cookie))).status, 403)
  assert.equal((await web.send('/auth-only', withCookie(cookie))).text, 'passed')
})

test('a role guard without a role does not start', () => {
  assert.throws(() => requireRole({} as Services), /at least one role/)
})
