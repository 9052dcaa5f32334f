import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import type { Express, Request } from 'express'
import { requestSession } from '../../../server/middleware/request-session.ts'
import { session } from '../../../server/middleware/session.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { cookiesOf, fieldsOf, startOurs } from '../../support/session-sites.ts'
import type { WebOptions } from '../../support/web.ts'

const HOUR = 3_600_000

function build(app: Express): void {
  app.get(/^\/who/, (req, res) => {
    const { state, cookieState, cookieId, ended } = requestSession(req)
    res.json({
      state,
      cookieState,
      hasId: cookieId !== null,
      reason: ended?.reason ?? null,
      user: req.user?.id ?? null,
    })
  })
  app.get('/auth', (req, res) => res.json({ auth: req.auth }))
  app.get('/auth/status', (req, res) => res.json({ user: req.user?.id ?? null }))
}

const start = (t: TestContext, more: Partial<WebOptions> = {}) => startOurs(t, { build, ...more })

describe('the cookie', () => {
  test('names the session, and the session the user', async (t) => {
    const site = await start(t)
    const { cookie } = await site.web.signIn()
    const who = (await site.send('/who', { headers: { cookie } })).json()
    assert.deepEqual(who, { state: 'live', cookieState: 'valid', hasId: true, reason: null, user: 'user00000000001' })
  })

  test('that is missing or badly signed makes an anonymous request, without a look into the store', async (t) => {
    const store = createFaultyStore()
    const site = await start(t, { store })
    const { cookie } = await site.web.signIn()
    const bad = [
      cookie.slice(0, -1),
      cookie.replace('s%3A', 's:'),
      `${cookie}=`,
      cookie.replace('=', '="') + '"',
      'x=y',
    ]
    for (const sent of bad) {
      const who = (await site.send('/who', { headers: { cookie: sent } })).json()
      assert.equal(who['state'], 'anonymous', sent)
      assert.equal(who['hasId'], false)
    }
    assert.equal(store.calls.find, 0)
  })

  test('that comes twice is nobody’s: an event, and in development it is cleared wherever it may stand', async (t) => {
    const site = await start(t)
    const { cookie } = await site.web.signIn()
    const answer = await site.send('/who/is/it?x=/y', { headers: { cookie: `${cookie}; a=b; ${cookie}` } })
    assert.equal(answer.json()['state'], 'anonymous')
    assert.equal(answer.json()['cookieState'], 'duplicate')
    const [name = ''] = cookie.split('=')
    for (const line of answer.cookies) assert.match(line, new RegExp(`^${name}=;.*Max-Age=0`))
    const paths = answer.cookies.map((line) => /Path=([^;]*)/.exec(line)?.[1])
    assert.deepEqual(paths, ['/', '/who', '/who/', '/who/is', '/who/is/', '/who/is/it', '/who/is/it/'])
    assert.deepEqual(
      site.web.events.map((event) => [event.name, (event.event as { why?: string }).why]),
      [['malicious_extraneous', 'duplicate_cookie']],
    )
  })

  test('of a session that has ended says so, keeps the cookie, and is an event', async (t) => {
    const site = await start(t)
    const { cookie, live } = await site.web.signIn()
    await site.web.services.sessions.end(live, 'revoked')
    const answer = await site.send('/who', { headers: { cookie } })
    const expected = { state: 'ended', cookieState: 'valid', hasId: true, reason: 'revoked', user: null }
    assert.deepEqual(answer.json(), expected)
    assert.deepEqual(answer.cookies, [])
    assert.deepEqual(
      site.web.events.map(({ name }) => name),
      ['session_use_after_end'],
    )
  })

  test('is out of sight for what comes after', async (t) => {
    const site = await start(t, {
      build: (app) => app.get('/', (req, res) => res.json({ header: req.headers.cookie ?? null })),
    })
    const { cookie } = await site.web.signIn()
    const header = async (sent: string) => (await site.send('/', { headers: { cookie: sent } })).json()['header']
    assert.equal(await header(cookie), null)
    assert.equal(await header(`a=1; ${cookie}; b=2`), 'a=1; b=2')
    assert.equal(await header(`${cookie}x;b=2`), 'b=2')
  })
})

describe('req.auth', () => {
  test('shows the public handle and the times, never the cookie’s id or the token', async (t) => {
    const site = await start(t)
    const { cookie, live } = await site.web.signIn()
    const { text } = await site.send('/auth', { headers: { cookie } })
    const { auth } = JSON.parse(text) as { auth: { session: object; stale: boolean } }
    const { handle: id, createdAt, expiresAt, idleExpiresAt, authTime, amr } = live.record
    assert.deepEqual(auth.session, { id, createdAt, expiresAt, idleExpiresAt, authTime, amr })
    assert.equal(auth.stale, false)
    for (const secret of [live.id, live.token() ?? '']) assert.equal(text.includes(secret), false)
  })

  test('is null without a user, and cannot be assigned', async (t) => {
    const site = await start(t, {
      build(app) {
        build(app)
        app.get('/assign', (req, res) => {
          assert.throws(() => Object.assign(req, { auth: { user: { id: 'admin' } } }), TypeError)
          res.json({ auth: req.auth })
        })
      },
    })
    const { cookie } = await site.web.anonymous()
    for (const headers of [{}, { cookie }])
      assert.deepEqual((await site.send('/auth', { headers })).json(), { auth: null })
    assert.deepEqual((await site.send('/assign')).json(), { auth: null })
  })

  test('gives an SDK client of its own, with this user’s token and nobody else’s', async (t) => {
    const site = await start(t, {
      build: (app) =>
        app.get('/', (req, res) => {
          const [one, two] = [req.auth?.pocketbase(), req.auth?.pocketbase()]
          assert.ok(one !== undefined && one !== two)
          res.json({ token: one.authStore.token, user: one.authStore.record?.id, url: one.baseURL })
        }),
    })
    for (const id of ['user00000000001', 'user00000000002']) {
      const { cookie } = await site.web.signIn({ id })
      const got = (await site.send('/', { headers: { cookie } })).json()
      assert.deepEqual(got, { token: `token-of-${id}`, user: id, url: 'http://127.0.0.1:1' })
    }
  })
})

describe('the answer to a live session', () => {
  const cached = {
    build: (app: Express) => app.get('/', (_req, res) => void res.set('Cache-Control', 'max-age=9').end()),
  }

  test('is kept by no cache, unless the handler says otherwise', async (t) => {
    const [site, other] = [await start(t), await start(t, cached)]
    const [{ cookie }, theirs] = [await site.web.signIn(), await other.web.signIn()]
    const control = async (headers: Record<string, string>) =>
      (await site.send('/who', { headers })).headers['cache-control']
    assert.equal(await control({ cookie }), 'private, no-store')
    assert.equal(await control({ cookie, 'sec-fetch-dest': 'document' }), 'private, no-store')
    assert.equal(await control({}), undefined)
    for (const dest of ['script', 'style', 'image', 'font']) {
      assert.equal(await control({ cookie, 'sec-fetch-dest': dest }), undefined)
    }
    const answer = await other.send('/', { headers: { cookie: theirs.cookie } })
    assert.equal(answer.headers['cache-control'], 'max-age=9')
  })

  test('that sets a cookie is kept by no cache either', async (t) => {
    const set = (req: Request): void => void (fieldsOf(req)['x'] = 1)
    const site = await start(t, { build: (app) => app.get('/', (req, res) => res.json({ set: set(req) })) })
    assert.equal((await site.send('/')).headers['cache-control'], 'private, no-store')
  })
})

describe('the idle timeout', () => {
  const passive: readonly (readonly [string, Record<string, string>])[] = [
    ['/auth/status', {}],
    ['/who', { accept: 'text/event-stream' }],
    ['/who', { 'sec-purpose': 'prefetch;prerender' }],
    ['/who', { 'x-session-activity': 'passive' }],
  ]
  for (const [path, headers] of passive) {
    test(`is not moved by ${path} with ${JSON.stringify(headers)}`, async (t) => {
      const site = await start(t)
      const { cookie } = await site.web.signIn()
      for (let step = 0; step < 3; step++) {
        site.web.clock.advance(HOUR / 2)
        assert.equal((await site.send(path, { headers: { cookie, ...headers } })).json()['user'], 'user00000000001')
      }
      site.web.clock.advance(HOUR / 2 + 1)
      assert.equal((await site.send('/who', { headers: { cookie } })).json()['reason'], 'idle_timeout')
    })
  }

  test('is moved by everything else, up to the absolute deadline', async (t) => {
    const site = await start(t)
    const { cookie } = await site.web.signIn()
    for (let step = 0; step < 23; step++) {
      site.web.clock.advance(HOUR)
      assert.equal((await site.send('/who', { headers: { cookie } })).json()['state'], 'live')
    }
    site.web.clock.advance(HOUR + 1)
    assert.equal((await site.send('/who', { headers: { cookie } })).json()['reason'], 'absolute_timeout')
  })
})

test('mounted twice, it does its work once', async (t) => {
  const store = createFaultyStore()
  const site = await start(t, {
    store,
    build(app, services) {
      app.use(session(services))
      build(app)
    },
  })
  const { cookie } = await site.web.signIn()
  assert.equal((await site.send('/who', { headers: { cookie } })).json()['state'], 'live')
  assert.equal(store.calls.find, 1)
})

test('a store that answers at once is answered at once, without a turn of the event loop', async (t) => {
  const order: string[] = []
  const site = await start(t, {
    before: (app) =>
      app.use((_req, _res, next) => {
        process.nextTick(() => order.push('next tick'))
        next()
      }),
    build: (app) =>
      app.get('/', (req, res) => {
        order.push(`handler for ${req.user?.id}, ${req.session.id.length}`)
        res.json({})
      }),
  })
  const { cookie } = await site.web.signIn()
  await site.send('/', { headers: { cookie } })
  assert.deepEqual(order, ['handler for user00000000001, 46', 'next tick'])
})

test('a dump of the request shows neither the id nor the token', async (t) => {
  let dump = ''
  const site = await start(t, {
    build: (app) =>
      app.get('/', (req, res) => {
        assert.ok(req.session.id.length > 0)
        // Node keeps the raw headers of any request; what is looked at is what we add.
        const { rawHeaders, ...own } = req
        assert.ok(rawHeaders.length > 0)
        dump = inspect([{ ...own, socket: null, res: null, client: null }, requestSession(req)], { depth: 8 })
        dump += JSON.stringify([req.session, req.auth, req.user])
        res.json({})
      }),
  })
  const { cookie, live } = await site.web.signIn()
  await site.send('/', { headers: { cookie } })
  assert.ok(dump.includes('ann@example.com'))
  assert.equal(dump.includes(live.token() ?? ''), false)
  assert.equal(dump.split(live.id).length - 1, 1, 'only req.sessionID, as in express-session')
})

test('an anonymous visitor who leaves nothing gets no cookie', async (t) => {
  const site = await start(t)
  const answer = await site.send('/who')
  assert.deepEqual(cookiesOf(answer).headers.cookie, '')
  assert.deepEqual(site.web.events, [])
})
