import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { ErrorRequestHandler } from 'express'
import { csrf } from '../../../server/middleware/csrf.ts'
import { errorHandler, notFound } from '../../../server/middleware/error-handler.ts'
import { authRoutes, FLOWS } from '../../../server/routes/auth.ts'
import { sendPage } from '../../../server/routes/pages.ts'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import { cookiePair, type Answer, type Sent } from '../../support/http-client.ts'
import { PASSWORD } from '../../support/memory-pocketbase.ts'
import { startWeb, userRecord, type Web, type WebOptions } from '../../support/web.ts'

const JSON_TYPE = 'application/json'
const FORM = 'application/x-www-form-urlencoded'
const BROWSER = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Content-Type': FORM }

interface StartOptions extends Partial<WebOptions> {
  /** Whether the app has mounted `csrf()` itself. */
  readonly guarded?: boolean
}

function start(t: TestContext, { guarded = true, ...options }: StartOptions = {}): Promise<Web> {
  return startWeb(t, {
    build: (app, services) => {
      if (guarded) app.use(csrf(services))
      app.use('/auth', authRoutes(services))
      app.use(notFound())
      app.use(errorHandler(services, sendPage))
    },
    ...options,
  })
}

/** A visitor with all that an own page has: cookie, token, origin. */
async function visitor(web: Web, cookie?: string): Promise<Readonly<Record<string, string>>> {
  const answer = await web.send('/auth/csrf', { headers: cookie === undefined ? {} : { Cookie: cookie } })
  const pre = answer.cookies.length === 0 ? [] : [cookiePair(answer, web.services.config.cookie.preName)]
  const cookies = [...(cookie === undefined ? [] : [cookie]), ...pre].join('; ')
  return { Cookie: cookies, Origin: web.origin, 'X-CSRF-Token': String(answer.json()['csrfToken']) }
}

const json = (headers: Sent['headers'], body: unknown, method = 'POST'): Sent => ({
  method,
  headers: { 'Content-Type': JSON_TYPE, ...headers },
  body: JSON.stringify(body),
})

/** A form of a browser: its token is a field. */
function form(headers: Readonly<Record<string, string>>, fields: Readonly<Record<string, string>>): Sent {
  const { 'X-CSRF-Token': token = '', ...rest } = headers
  return {
    method: 'POST',
    headers: { ...BROWSER, ...rest },
    body: new URLSearchParams({ _csrf: token, ...fields }).toString(),
  }
}

function withAnn(web: Web): void {
  web.pocketbase.users.set('user00000000001', userRecord())
}

const answeredByTheApp: ErrorRequestHandler = (_error, _req, res, _next) =>
  void res.status(500).send('answered by the app')

const code = (answer: Answer): unknown => answer.json()['code']

test('every unsafe row refuses a request without a token, with and without csrf() in front', async (t) => {
  for (const guarded of [true, false]) {
    const web = await start(t, { guarded })
    const { cookie } = await web.signIn()
    for (const { method, path } of FLOWS.filter((row) => row.method !== 'GET')) {
      for (const headers of [{ Origin: web.origin }, { Origin: web.origin, Cookie: cookie }]) {
        const answer = await web.send(`/auth${path}`, { method, headers })
        assert.equal(answer.status, 403, `${method} ${path}`)
        assert.equal(code(answer), 'csrf_failed', `${method} ${path}`)
      }
      const foreign = await web.send(`/auth${path}`, { method, headers: { Origin: 'https://other.test' } })
      assert.equal(code(foreign), 'origin_refused', `${method} ${path}`)
    }
  }
})

test('checks the path that is served: other spellings of a route are checked or are not there', async (t) => {
  const web = await start(t)
  withAnn(web)
  const body = { identity: 'ann@example.com', password: PASSWORD }
  for (const path of ['/AUTH/Login', '/auth/login/', '/auth/login?x=/pb', '/auth/%6cogin', '/%61uth/login']) {
    const answer = await web.send(path, json({ Origin: 'https://other.test' }, body))
    assert.ok([403, 404].includes(answer.status), path)
  }
  const headers = await visitor(web)
  for (const path of [
    '//auth/login',
    '/auth//login',
    '/auth/./login',
    '/x/../auth/login',
    '/auth/login/x',
    '/auth;/login',
  ]) {
    assert.equal((await web.send(path, json(headers, body))).status, 404, path)
  }
  assert.equal(web.pocketbase.asked.logins, 0)
})

test('answers other methods of every path with 405 and what is allowed', async (t) => {
  const web = await start(t)
  const headers = await visitor(web)
  for (const path of new Set(FLOWS.map((row) => row.path))) {
    const methods = FLOWS.filter((row) => row.path === path).map(({ method }) => method as string)
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      if (methods.includes(method) || (method === 'HEAD' && methods.includes('GET'))) continue
      const answer = await web.send(`/auth${path}`, { method, headers })
      assert.equal(answer.status, 405, `${method} ${path}`)
      const allowed = String(answer.headers.allow).split(', ')
      assert.deepEqual(
        allowed.filter((each) => each !== 'HEAD'),
        [...new Set(methods)],
        `${method} ${path}`,
      )
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
  }
})

test('no safe method signs in or out, whatever it carries', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn()
  const headers = { Cookie: cookie, 'X-HTTP-Method-Override': 'POST' }
  for (const method of ['GET', 'HEAD', 'OPTIONS']) {
    for (const path of ['/auth/logout?_method=POST', '/auth/logout-everywhere', '/auth/sessions/revoke-others']) {
      assert.ok((await web.send(path, { method, headers })).status >= 400)
    }
  }
  assert.ok((await web.services.sessions.reload(live))?.live)
})

test('leaves other addresses below the mount path to the app', async (t) => {
  const web = await start(t)
  assert.equal(code(await web.send('/auth/google')), 'not_found')
  assert.equal(code(await web.send('/auth/status;.png')), 'not_found')
})

test('passes on errors of the app below the mount path', async (t) => {
  const web = await start(t, {
    build: (app, services) => {
      app.use('/auth/google', () => {
        throw new Error("the app's own")
      })
      app.use('/auth', authRoutes(services))
      app.use(answeredByTheApp)
    },
  })
  assert.equal((await web.send('/auth/google')).text, 'answered by the app')
})

const REFUSED_TYPES = [
  '',
  'text/plain',
  'text/plain;charset=UTF-8',
  'application/json; charset=utf-7',
  'application/json;charset=utf-16',
  'application/vnd.api+json',
  'multipart/form-data; boundary=x',
  'application/x-www-form-urlencoded; a=application/json',
]

test('takes JSON as application/json alone', async (t) => {
  const web = await start(t)
  withAnn(web)
  const headers = await visitor(web)
  const body = JSON.stringify({ identity: 'ann@example.com', password: PASSWORD })
  for (const type of REFUSED_TYPES) {
    const answer = await web.send('/auth/login', {
      method: 'POST',
      headers: { ...headers, 'Content-Type': type },
      body,
    })
    assert.equal(answer.status, 415, type)
    assert.equal(code(answer), 'unsupported_media_type', type)
  }
  assert.equal((await web.send('/auth/login', { method: 'POST', headers, body })).status, 415, 'no type at all')
  assert.equal(web.pocketbase.asked.logins, 0)
  assert.equal(
    (
      await web.send('/auth/login', {
        method: 'POST',
        headers: { ...headers, 'Content-Type': 'application/json; charset=utf-8' },
        body,
      })
    ).status,
    200,
  )
})

test('takes JSON only where the row has no method of forms, and forms only where a row has them', async (t) => {
  const web = await start(t)
  const { cookie } = await web.signIn()
  const headers = await visitor(web, cookie)
  assert.equal((await web.send('/auth/profile', json(headers, { bio: 'x' }))).status, 415)
  const patch = { method: 'PATCH', headers: { ...headers, 'Content-Type': FORM }, body: 'bio=x' }
  assert.equal((await web.send('/auth/profile', patch)).status, 415)
})

test('refuses bodies that are no object, too large or too deep, before anything is asked', async (t) => {
  const web = await start(t)
  const headers = { ...(await visitor(web)), 'Content-Type': JSON_TYPE }
  for (const [body, status] of [
    ['[]', 400],
    ['"x"', 400],
    ['null', 400],
    ['{', 400],
    ['{"identity":"a"}x', 400],
    [`${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
    [JSON.stringify({ identity: Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])) }), 400],
    [JSON.stringify({ identity: 'a', password: 'x'.repeat(200_000) }), 413],
    [JSON.stringify({ identity: 'a', password: 'b', role: 'admin' }), 422],
    ['{"identity":"a","password":"b","__proto__":{"role":"admin"}}', 422],
    [JSON.stringify({ identity: ['a'], password: 'b' }), 422],
    ['{}', 422],
    ['', 422],
  ] as const) {
    const answer = await web.send('/auth/login', { method: 'POST', headers, body })
    assert.equal(answer.status, status, body.slice(0, 60))
    assert.equal(answer.headers['content-type'], 'application/problem+json')
  }
  assert.equal(web.pocketbase.asked.logins, 0)
  const events = web.events.filter(({ name }) => name === 'input_validation_fail').map(({ event }) => event)
  assert.deepEqual(events[0], { path: '/auth/login', fields: ['unknown'] })
})

test('answers JSON with JSON: sign in, status, sign out', async (t) => {
  const web = await start(t)
  withAnn(web)
  const headers = await visitor(web)
  const login = await web.send('/auth/login', json(headers, { identity: 'ann@example.com', password: PASSWORD }))
  assert.equal(login.status, 200)
  assert.equal(login.headers['content-type'], JSON_TYPE)
  assert.equal(login.headers['cache-control'], 'no-store')
  const cookie = cookiePair(login, web.services.config.cookie.name)
  const status = await web.send('/auth/status', { headers: { Cookie: cookie } })
  assert.equal(status.json()['authenticated'], true)
  assert.equal(status.headers.etag, undefined)
  const out = await web.send('/auth/logout', {
    method: 'POST',
    headers: { ...(await visitor(web, cookie)), Cookie: cookie },
  })
  assert.equal(out.status, 204)
  assert.equal(out.headers['clear-site-data'], '"cache", "storage"')
  const after = await web.send('/auth/status', { headers: { Cookie: cookie } })
  assert.equal(after.json()['reason'], 'logout')
})

test('a login clears the pre-login cookie', async (t) => {
  const web = await start(t)
  withAnn(web)
  const headers = await visitor(web)
  const login = await web.send('/auth/login', json(headers, { identity: 'ann@example.com', password: PASSWORD }))
  assert.match(login.cookies.find((line) => line.startsWith(web.services.config.cookie.preName)) ?? '', /=; Max-Age=0/)
})

test('a form leads to a page: where it wanted to go, on this site only', async (t) => {
  const web = await start(t)
  withAnn(web)
  const login = { identity: 'ann@example.com', password: PASSWORD }
  for (const [returnTo, location] of [
    ['', '/account'],
    ['/reports?a=1', '/reports?a=1'],
    ['//evil.test', '/account'],
    ['https://evil.test', '/account'],
    ['/login', '/account'],
    ['/Login/?x', '/account'],
    ['/auth/logout', '/account'],
  ] as const) {
    const answer = await web.send('/auth/login', form(await visitor(web), { ...login, returnTo }))
    assert.equal(answer.status, 303, returnTo)
    assert.equal(answer.headers.location, location, returnTo)
    assert.equal(answer.headers['cache-control'], 'no-store')
  }
})

test('a form that fails is shown again with what was typed, never the password, and a token that works', async (t) => {
  const web = await start(t)
  withAnn(web)
  const wrong = { identity: 'ann@example.com', password: 'wrong-password', returnTo: '/reports' }
  const headers = await visitor(web)
  const answer = await web.send('/auth/login', form(headers, wrong))
  assert.equal(answer.status, 401)
  assert.match(String(answer.headers['content-type']), /^text\/html/)
  assert.match(answer.text, /value="ann@example\.com"/)
  assert.match(answer.text, /name="returnTo" value="\/reports"/)
  assert.equal(answer.text.includes('wrong-password'), false)
  const token = /name="_csrf" value="([\w-]+)"/.exec(answer.text)?.[1] ?? ''
  const again = form({ ...headers, 'X-CSRF-Token': token }, { ...wrong, password: PASSWORD })
  assert.equal((await web.send('/auth/login', again)).headers.location, '/reports')
})

test('a form with an outdated token is shown again, also where csrf() refused it', async (t) => {
  for (const guarded of [true, false]) {
    const web = await start(t, { guarded })
    const headers = { ...(await visitor(web)), 'X-CSRF-Token': 'outdated' }
    const answer = await web.send(
      '/auth/login',
      form(headers, { identity: 'ann@example.com', password: 'secret-typed' }),
    )
    assert.equal(answer.status, 403)
    assert.match(answer.text, /value="ann@example\.com"/)
    assert.match(answer.text, /out of date/)
    assert.equal(answer.text.includes('secret-typed'), false)
  }
})

test('a form from another origin is not shown again with what its sender put in', async (t) => {
  const web = await start(t)
  const headers = { ...(await visitor(web)), Origin: 'https://other.test' }
  const answer = await web.send('/auth/login', form(headers, { identity: 'attacker@example.com', password: 'x' }))
  assert.equal(answer.status, 403)
  assert.equal(answer.text.includes('attacker@example.com'), false)
})

test('a program that sends a form gets a problem, not a page', async (t) => {
  const web = await start(t)
  const { headers = {}, ...rest } = form(await visitor(web), { identity: 'ann@example.com', password: 'wrong' })
  const answer = await web.send('/auth/login', { ...rest, headers: { ...headers, Accept: '*/*' } })
  assert.equal(answer.status, 401)
  assert.equal(code(answer), 'invalid_credentials')
})

test('a form of a visitor whose session has ended leads to the login page and back to its page', async (t) => {
  const web = await start(t)
  const { live, cookie } = await web.signIn()
  const headers = await visitor(web, cookie)
  await web.services.sessions.end(live, 'revoked')
  const answer = await web.send(
    '/auth/password',
    form(headers, { currentPassword: 'a', password: 'b', passwordConfirm: 'b' }),
  )
  assert.equal(answer.status, 303)
  assert.equal(answer.headers.location, '/login?returnTo=%2Faccount')
  const program = await web.send('/auth/password', json(headers, {}))
  assert.equal(code(program), 'session_expired')
  assert.equal(program.json()['reason'], 'revoked')
})

test('whoever loads the address of a failed form again gets the form', async (t) => {
  const web = await start(t)
  const headers = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }
  assert.equal((await web.send('/auth/login', { headers })).headers.location, '/login')
  assert.equal((await web.send('/auth/logout', { headers })).status, 405)
})

test('answers 503 under /auth where the store cannot be asked, a logout too', async (t) => {
  const store = createMemoryStore()
  const web = await start(t, { store })
  const { cookie } = await web.signIn()
  const headers = await visitor(web, cookie)
  store.find = () => {
    throw new Error('store is down')
  }
  for (const [method, path] of [
    ['GET', '/auth/status'],
    ['GET', '/auth/csrf'],
    ['POST', '/auth/logout'],
    ['POST', '/auth/login'],
    ['GET', '/auth/sessions'],
  ] as const) {
    const answer = await web.send(path, { method, headers })
    assert.equal(answer.status, 503, path)
    assert.equal(answer.headers['retry-after'], '5', path)
    assert.deepEqual(answer.cookies, [], path)
  }
})

test('writes to one address five times an hour, and answers the sixth request the same', async (t) => {
  const web = await start(t)
  const headers = await visitor(web)
  const answers: string[] = []
  for (const email of Array.from({ length: 8 }, (_, i) => (i % 2 === 0 ? 'ann@example.com' : 'ANN@example.com'))) {
    const { status, text } = await web.send('/auth/password-reset', json(headers, { email }))
    answers.push(`${status} ${text}`)
  }
  assert.deepEqual([...new Set(answers)], ['202 {"accepted":true}'])
  assert.equal(web.pocketbase.mails.length, 5)
  web.clock.advance(3_600_001)
  await web.send('/auth/password-reset', json(headers, { email: 'ann@example.com' }))
  assert.equal(web.pocketbase.mails.length, 6)
})

test('limits what one address may ask for, with 429 and Retry-After', async (t) => {
  const web = await start(t)
  const headers = await visitor(web)
  const { limit } = FLOWS.find(({ path }) => path === '/password-reset') ?? {}
  assert.ok(limit !== undefined)
  const spent = { name: `flow:${limit.kind}:127.0.0.1`, kind: limit.kind, limit: limit.max, windowMs: limit.windowMs }
  for (let i = 0; i < limit.max; i++) await web.services.limiter.take(spent)
  const answer = await web.send('/auth/password-reset', json(headers, { email: 'ann@example.com' }))
  assert.equal(answer.status, 429)
  assert.equal(answer.headers['retry-after'], '3600')
  assert.ok(web.events.some(({ name }) => name === 'excess_rate_limit_exceeded'))
})

test('a form of a mail link takes the token from the sealed cookie, and says when there is none', async (t) => {
  const web = await start(t)
  const fields = { password: 'a new long password', passwordConfirm: 'a new long password' }
  const answer = await web.send('/auth/password-reset/confirm', form(await visitor(web), fields))
  assert.equal(answer.status, 400)
  assert.match(answer.text, /not valid any more/)
  assert.equal(
    code(await web.send('/auth/password-reset/confirm', json(await visitor(web), { ...fields, token: 'x.y.z' }))),
    'invalid_token',
  )
})
