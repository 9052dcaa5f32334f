import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Express, RequestHandler } from 'express'
import { checkOrigin } from '../../../server/middleware/check-origin.ts'
import { checkToken } from '../../../server/middleware/check-token.ts'
import { csrf } from '../../../server/middleware/csrf.ts'
import { issueCsrfToken } from '../../../server/middleware/csrf-token.ts'
import { errorHandler } from '../../../server/middleware/error-handler.ts'
import { requestSession } from '../../../server/middleware/request-session.ts'
import type { Services } from '../../../server/services.ts'
import { cookiePair, type Sent } from '../../support/http-client.ts'
import { startWeb, type Web } from '../../support/web.ts'

const FORM = 'application/x-www-form-urlencoded'
const ok: RequestHandler = (req, res) => void res.json({ done: true, body: (req.body as unknown) ?? null })

/** `/both` is what an app mounts; the two others have one of the checks only. */
function build(app: Express, services: Services): void {
  app.get('/token', (req, res) => void res.json({ token: issueCsrfToken(services, requestSession(req)) }))
  app.use('/origin-alone', (req, _res, next) => next(checkOrigin(services, requestSession(req)) ?? undefined), ok)
  app.use('/token-alone', async (req, _res, next) =>
    next((await checkToken(services, requestSession(req), 'with-cookie')) ?? undefined),
  )
  app.use('/token-alone', ok)
  app.use(csrf(services, { except: ['/pb'] }))
  app.use(ok)
  app.use(errorHandler(services, async () => Promise.reject(new Error('no pages here'))))
}

const start = (t: TestContext): Promise<Web> => startWeb(t, { build })

interface Victim {
  readonly cookie: string
  readonly token: string
}

async function victim(web: Web): Promise<Victim> {
  const { cookie } = await web.signIn()
  return { cookie, token: await tokenOf(web, cookie) }
}

async function tokenOf(web: Web, cookie?: string): Promise<string> {
  const answer = await web.send('/token', { headers: cookie === undefined ? {} : { Cookie: cookie } })
  return String(answer.json()['token'])
}

const post = (headers: Sent['headers'] = {}, body?: string): Sent => ({
  method: 'POST',
  headers,
  ...(body === undefined ? {} : { body }),
})

test('lets a request of our own page pass, with the token in the header or in the form', async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  const own = { Cookie: cookie, Origin: web.origin, 'Sec-Fetch-Site': 'same-origin' }
  for (const path of ['/both', '/origin-alone', '/token-alone']) {
    assert.equal((await web.send(path, post({ ...own, 'X-CSRF-Token': token }))).status, 200, path)
    assert.equal((await web.send(path, post({ ...own, 'Content-Type': FORM }, `_csrf=${token}`))).status, 200, path)
  }
})

test('checks no safe method', async (t) => {
  const web = await start(t)
  const { cookie } = await victim(web)
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    const answer = await web.send('/both', { method, headers: { Cookie: cookie, Origin: 'https://other.test' } })
    assert.equal(answer.status, 200, method)
  }
})

test('checks every other method, also ones that nobody knows', async (t) => {
  const web = await start(t)
  const { cookie } = await victim(web)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PROPFIND', 'PURGE']) {
    const answer = await web.send('/both', { method, headers: { Cookie: cookie, Origin: web.origin } })
    assert.equal(answer.json()['code'], 'csrf_failed', method)
  }
})

const ATTACKS: readonly (readonly [string, (web: Web) => Readonly<Record<string, string>>])[] = [
  ['a sibling subdomain', () => ({ Origin: 'http://evil.localhost', 'Sec-Fetch-Site': 'same-site' })],
  ['a sibling whose browser sends no Fetch Metadata', () => ({ Origin: 'http://evil.localhost' })],
  ['another site', () => ({ Origin: 'https://other.test', 'Sec-Fetch-Site': 'cross-site' })],
  ['a sandboxed frame', () => ({ Origin: 'null', 'Sec-Fetch-Site': 'cross-site' })],
  ['a null origin alone', () => ({ Origin: 'null' })],
  ['another port of this host', () => ({ Origin: 'http://localhost:1' })],
  ['the same host by https', (web) => ({ Origin: web.origin.replace('http:', 'https:') })],
  ['an origin that begins like ours', (web) => ({ Origin: `${web.origin}.evil.test` })],
  ['our origin with a slash', (web) => ({ Origin: `${web.origin}/` })],
  ['our origin twice', (web) => ({ Origin: `${web.origin}, ${web.origin}` })],
  ['an empty origin', () => ({ Origin: '' })],
  ['the Host header as origin', () => ({ Origin: 'http://evil.test', Host: 'evil.test' })],
  ['our origin with cross-site metadata', (web) => ({ Origin: web.origin, 'Sec-Fetch-Site': 'cross-site' })],
  ['metadata of a user-typed address', (web) => ({ Origin: web.origin, 'Sec-Fetch-Site': 'none' })],
  ['no header at all', () => ({})],
  ['a Referer alone', (web) => ({ Referer: `${web.origin}/account` })],
]

for (const [name, headers] of ATTACKS) {
  test(`refuses ${name}, and each check refuses it alone`, async (t) => {
    const web = await start(t)
    const { cookie } = await victim(web)
    const attacker = await tokenOf(web, (await web.signIn({ id: 'attacker0000001' })).cookie)
    for (const token of ['', attacker]) {
      const sent = post({ ...headers(web), Cookie: cookie, 'X-CSRF-Token': token })
      assert.equal((await web.send('/both', sent)).json()['code'], 'origin_refused')
      assert.equal((await web.send('/origin-alone', sent)).json()['code'], 'origin_refused')
      assert.equal((await web.send('/token-alone', sent)).json()['code'], 'csrf_failed')
    }
  })
}

test('refuses a foreign origin with the right token, and names the header', async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  for (const [headers, name] of [
    [{ Origin: 'https://other.test' }, 'Origin'],
    [{}, 'Origin'],
    [{ 'Sec-Fetch-Site': 'cross-site' }, 'Sec-Fetch-Site'],
  ] as const) {
    const answer = await web.send('/both', post({ ...headers, Cookie: cookie, 'X-CSRF-Token': token }))
    assert.equal(answer.status, 403)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.json()['code'], 'origin_refused')
    assert.match(String(answer.json()['detail']), new RegExp(name))
  }
  assert.deepEqual([...new Set(web.events.map(({ name }) => name))], ['malicious_csrf'])
})

test('takes Fetch Metadata alone, or the origin alone, of our own page', async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  const rest = { Cookie: cookie, 'X-CSRF-Token': token }
  assert.equal((await web.send('/both', post({ ...rest, 'Sec-Fetch-Site': 'same-origin' }))).status, 200)
  assert.equal((await web.send('/both', post({ ...rest, Origin: web.origin }))).status, 200)
})

test('asks for the origin even where only an unreadable cookie of ours is sent', async (t) => {
  const web = await start(t)
  const { name, preName } = web.services.config.cookie
  for (const cookie of [`${name}=x`, `${name}=`, `${preName}=x`, `${name}=a; ${name}=b`]) {
    assert.equal((await web.send('/both', post({ Cookie: cookie }))).json()['code'], 'origin_refused', cookie)
    assert.equal((await web.send('/both', post({ Cookie: cookie, Origin: web.origin }))).json()['code'], 'csrf_failed')
  }
})

test('lets a webhook pass that carries no cookie of ours, but not from another origin', async (t) => {
  const web = await start(t)
  assert.equal((await web.send('/both', post({ Cookie: 'other=1' }))).status, 200)
  assert.equal((await web.send('/both', post({ Origin: 'https://other.test' }))).json()['code'], 'origin_refused')
  assert.equal((await web.send('/both', post({ 'Sec-Fetch-Site': 'cross-site' }))).json()['code'], 'origin_refused')
})

test("refuses tokens that are not this session's", async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  const other = await victim(web)
  const first = token[0] === 'A' ? 'B' : 'A'
  for (const wrong of [
    other.token,
    '',
    'x',
    `${first}${token.slice(1)}`,
    token.slice(0, -1),
    `${token}A`,
    `${token}, ${token}`,
  ]) {
    const answer = await web.send('/both', post({ Cookie: cookie, Origin: web.origin, 'X-CSRF-Token': wrong }))
    assert.equal(answer.json()['code'], 'csrf_failed', wrong)
  }
})

test('tokens are another text each time and all of them count, under an older secret too', async (t) => {
  const [older, newer] = ['o'.repeat(20) + 'abcdefghijklmnopqrstuvwxyz', '0123456789abcdefghijklmnopqrstuvwxyz']
  const web = await startWeb(t, { build, options: { secret: [older] } })
  const { live, cookie } = await web.signIn()
  const tokens = [await tokenOf(web, cookie), await tokenOf(web, cookie)]
  assert.notEqual(tokens[0], tokens[1])
  const later = await startWeb(t, { build, options: { secret: [newer, older] } })
  const again = cookie.replace(web.services.config.cookie.name, later.services.config.cookie.name)
  for (const token of tokens) {
    const headers = { Origin: web.origin, 'X-CSRF-Token': token }
    assert.equal((await web.send('/both', post({ ...headers, Cookie: cookie }))).status, 200)
    assert.equal(
      (await later.send('/token-alone', post({ 'X-CSRF-Token': token, Cookie: again }))).status,
      200,
      live.record.handle,
    )
  }
})

test('takes a token from the form only where the request says it is one', async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  const json = JSON.stringify({ _csrf: token })
  for (const [type, body] of [
    ['application/json', json],
    ['text/plain', `_csrf=${token}`],
    [
      'multipart/form-data; boundary=b',
      `--b\r\nContent-Disposition: form-data; name="_csrf"\r\n\r\n${token}\r\n--b--\r\n`,
    ],
    [`${FORM}; a=application/json`, `_csrf=${token}`],
    [FORM, `_csrf=${token}&_csrf=${token}`],
    [FORM, `_csrf[]=${token}`],
  ] as const) {
    const headers = { Cookie: cookie, Origin: web.origin, 'Content-Type': type }
    assert.equal((await web.send('/both', post(headers, body))).json()['code'], 'csrf_failed', type)
    assert.equal((await web.send(`/both?_csrf=${token}`, post(headers, '_csrf='))).json()['code'], 'csrf_failed', type)
    const withHeader = { ...headers, 'X-CSRF-Token': token }
    assert.equal((await web.send('/both', post(withHeader, body))).status, 200, `${type} with the header`)
  }
})

test('a wrong header is not made good by a right field', async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  const headers = { Cookie: cookie, Origin: web.origin, 'Content-Type': FORM, 'X-CSRF-Token': 'wrong' }
  assert.equal((await web.send('/both', post(headers, `_csrf=${token}`))).json()['code'], 'csrf_failed')
})

test('leaves a form that it has read to the handler, and reads none that somebody has read before', async (t) => {
  const { default: express } = await import('express')
  const web = await startWeb(t, {
    build: (app, services) => {
      app.use('/parsed', express.urlencoded({ extended: true }))
      build(app, services)
    },
  })
  const { cookie, token } = await victim(web)
  const headers = { Cookie: cookie, Origin: web.origin, 'Content-Type': FORM }
  const plain = await web.send('/both', post(headers, `a=1&_csrf=${token}`))
  assert.deepEqual(plain.json()['body'], { a: '1', _csrf: token })
  const parsed = await web.send('/parsed', post(headers, `a[b]=1&_csrf=${token}`))
  assert.deepEqual(parsed.json()['body'], { a: { b: '1' }, _csrf: token })
})

test('takes a body that the platform has read before us', async (t) => {
  const web = await startWeb(t, {
    build: (app, services) => {
      app.use((req, _res, next) => {
        if (req.method === 'POST') req.body = { _csrf: req.headers['x-token'] }
        next()
      })
      build(app, services)
    },
  })
  const { cookie, token } = await victim(web)
  const headers = { Cookie: cookie, Origin: web.origin, 'Content-Type': FORM, 'X-Token': token }
  assert.equal((await web.send('/both', post(headers, '_csrf=wrong'))).status, 200)
})

test('refuses forms that are too large, compressed or of another charset, before their token counts', async (t) => {
  const web = await start(t)
  const { cookie, token } = await victim(web)
  const headers = { Cookie: cookie, Origin: web.origin, 'Content-Type': FORM }
  const large = await web.send('/both', post(headers, `_csrf=${token}&a=${'x'.repeat(200_000)}`))
  assert.equal(large.json()['code'], 'payload_too_large')
  const many = await web.send('/both', post(headers, `_csrf=${token}${'&a=1'.repeat(2000)}`))
  assert.equal(many.json()['code'], 'payload_too_large')
  const packed = await web.send('/both', post({ ...headers, 'Content-Encoding': 'gzip' }, `_csrf=${token}`))
  assert.equal(packed.json()['code'], 'unsupported_media_type')
})

test('before a login, a token is bound to a signed cookie that lasts 12 hours', async (t) => {
  const web = await start(t)
  const { preName } = web.services.config.cookie
  const first = await web.send('/token')
  const cookie = cookiePair(first, preName)
  const token = String(first.json()['token'])
  const sent = post({ Cookie: cookie, Origin: web.origin, 'X-CSRF-Token': token })
  assert.equal((await web.send('/both', sent)).status, 200)
  const other = cookiePair(await web.send('/token'), preName)
  const [head = '', id = '', signature = ''] = cookie.split('.')
  const flipped = `${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`
  const soon = `${preName}=${(web.clock.now() + 1000).toString(36)}`
  for (const [why, wrong] of [
    ["another visitor's", other],
    ['twice', `${cookie}; ${cookie}`],
    ['behind one of somebody else', `${other}; ${cookie}`],
    ['with another signature', `${head}.${id}.${flipped}`],
    ['with another time', `${soon}.${id}.${signature}`],
    ['cut', cookie.slice(0, -1)],
    ['in quotes', `${preName}="${cookie.slice(preName.length + 1)}"`],
  ] as const) {
    const answer = await web.send('/token-alone', post({ 'X-CSRF-Token': token, Cookie: wrong }))
    assert.equal(answer.status, 403, why)
  }
  web.clock.advance(12 * 3_600_000 + 1)
  assert.equal((await web.send('/both', sent)).json()['code'], 'csrf_failed')
})

test('the pre-login cookie is set once, and signed anew under the same id at half its life', async (t) => {
  const web = await start(t)
  const { preName } = web.services.config.cookie
  const first = await web.send('/token')
  assert.equal(first.cookies.length, 1)
  assert.match(first.cookies[0] ?? '', /; Max-Age=43200; Path=\/; HttpOnly; SameSite=Lax$/)
  const cookie = cookiePair(first, preName)
  assert.deepEqual((await web.send('/token', { headers: { Cookie: cookie } })).cookies, [])
  web.clock.advance(7 * 3_600_000)
  const renewed = cookiePair(await web.send('/token', { headers: { Cookie: cookie } }), preName)
  assert.notEqual(renewed, cookie)
  const sent = post({ Cookie: renewed, Origin: web.origin, 'X-CSRF-Token': String(first.json()['token']) })
  assert.equal((await web.send('/both', sent)).status, 200)
})

test('with somebody signed in, a planted pre-login cookie and its token count for nothing', async (t) => {
  const web = await start(t)
  const { cookie } = await victim(web)
  const attacker = await web.send('/token')
  const planted = cookiePair(attacker, web.services.config.cookie.preName)
  const headers = { Cookie: `${cookie}; ${planted}`, 'X-CSRF-Token': String(attacker.json()['token']) }
  assert.equal((await web.send('/token-alone', post(headers))).json()['code'], 'csrf_failed')
})

test('of a session that has ended, its own token and the pre-login one both count', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn()
  const token = await tokenOf(web, cookie)
  await web.services.sessions.end(live, 'revoked')
  const fresh = await web.send('/token', { headers: { Cookie: cookie } })
  const pre = cookiePair(fresh, web.services.config.cookie.preName)
  const headers = { Cookie: `${cookie}; ${pre}`, Origin: web.origin }
  assert.equal((await web.send('/both', post({ ...headers, 'X-CSRF-Token': token }))).status, 200)
  const preToken = String(fresh.json()['token'])
  assert.equal((await web.send('/both', post({ ...headers, 'X-CSRF-Token': preToken }))).status, 200)
  const neither = await tokenOf(web)
  assert.equal((await web.send('/both', post({ ...headers, 'X-CSRF-Token': neither }))).json()['code'], 'csrf_failed')
})

test('a form loaded before a visitor got a session without a user still works', async (t) => {
  const web = await start(t)
  const form = await web.send('/token')
  const { cookie } = await web.anonymous()
  const both = `${cookie}; ${cookiePair(form, web.services.config.cookie.preName)}`
  const headers = { Cookie: both, Origin: web.origin, 'X-CSRF-Token': String(form.json()['token']) }
  assert.equal((await web.send('/both', post(headers))).status, 200)
})

test('leaves exactly the excepted mount path to its handler', async (t) => {
  const web = await start(t)
  const { cookie } = await victim(web)
  const status = async (path: string): Promise<number> => (await web.send(path, post({ Cookie: cookie }))).status
  for (const path of ['/pb', '/pb/', '/pb/api/x', '/pb?x=1']) assert.equal(await status(path), 200, path)
  for (const path of [
    '/',
    '/pbx',
    '/pb.json',
    '/PB/x',
    '//pb/x',
    '/pb//x',
    '/x/pb',
    '/x?/pb/',
    '/pb/../auth/login',
    '/pb/./x',
    '/pb/%2e%2e/auth/login',
    '/pb/..%2fauth',
    '/pb\\x',
    '/pb%2fx',
    '/pb;/x',
    '/%70b/x',
  ]) {
    assert.equal(await status(path), 403, path)
  }
})

test('judges the path that will be served, not the one that came in', async (t) => {
  const web = await startWeb(t, {
    build: (app, services) => {
      app.use((req, _res, next) => {
        if (req.url.startsWith('/pb/rewritten')) req.url = '/account'
        next()
      })
      build(app, services)
    },
  })
  const { cookie } = await victim(web)
  assert.equal((await web.send('/pb/rewritten', post({ Cookie: cookie }))).status, 403)
})

test('takes no exception that says more than a path', () => {
  for (const path of ['/', '', 'pb', '/pb/', '/pb/*', '//pb', '/pb?x', '/..']) {
    assert.throws(() => csrf({} as Services, { except: [path] }), /except must list paths/, path)
  }
})
