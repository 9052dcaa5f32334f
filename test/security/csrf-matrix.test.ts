// Another site makes the victim's browser send requests with the victim's cookies, to every route that changes something.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { FLOWS } from '../../server/routes/auth.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { NEW_PASSWORD, newPerson, PASSWORD, problem, stateOf, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { speaksOfSession } from '../support/stolen-cookies.ts'

type Headers = Readonly<Record<string, string>>

let pocketbase: TestPocketBase
let app: StartedApp
let victim: Person

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({ pocketbase: pocketbase.url })
  victim = await newPerson(app)
  await pocketbase.admin.setRole(victim.email, 'admin')
})

beforeEach(() => void app.events.splice(0))

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

/** Where a request comes from, as the browser says it; the token is the victim's own, so that only the place can stop it. */
const places: Readonly<Record<string, (own: string) => Headers>> = {
  'a foreign site': () => ({ Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }),
  'a foreign site, in a browser without Fetch Metadata': () => ({ Origin: 'https://evil.test' }),
  'a sibling subdomain': (own) => ({ Origin: own.replace('//', '//evil.'), 'Sec-Fetch-Site': 'same-site' }),
  'a sibling subdomain, in a browser without Fetch Metadata': (own) => ({ Origin: own.replace('//', '//evil.') }),
  'another port of this host': (own) => ({ Origin: `${own}0`, 'Sec-Fetch-Site': 'same-site' }),
  'another scheme of this host': (own) => ({ Origin: own.replace('http:', 'https:'), 'Sec-Fetch-Site': 'cross-site' }),
  'a sandboxed frame': () => ({ Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }),
  'a page without an origin': () => ({ Origin: 'null' }),
  'an origin that begins like ours': (own) => ({ Origin: `${own}.evil.test` }),
  'an origin that holds ours': (own) => ({ Origin: `https://evil.test/${own}` }),
  'two origins': (own) => ({ Origin: `${own} https://evil.test` }),
  'our own origin, but the browser says otherwise': (own) => ({ Origin: own, 'Sec-Fetch-Site': 'cross-site' }),
  'the address line': () => ({ 'Sec-Fetch-Site': 'none' }),
  'nowhere: no headers at all': () => ({}),
  'a Referer of ours alone': (own) => ({ Referer: `${own}/account` }),
  'a Host of the attacker that fits its Origin': () => ({ Host: 'evil.test', Origin: 'http://evil.test' }),
}

const unsafeRows = FLOWS.filter(({ method }) => method !== 'GET')

function fill(path: string): string {
  return `/auth${path.replace(':id', victim.userId).replace(':session', 'x'.repeat(22))}`
}

function bodyOf(formOnly: true | undefined): { readonly body: string; readonly type: string } {
  if (formOnly) return { body: 'bio=forged', type: 'application/x-www-form-urlencoded' }
  return { body: JSON.stringify({ bio: 'forged' }), type: 'application/json' }
}

async function assertUntouched(): Promise<void> {
  assert.equal(await stateOf(victim.browser), 'signed in')
  assert.deepEqual([...new Set(app.events.map(({ name }) => name))], ['malicious_csrf'])
}

describe('a request of the victim’s browser is refused on every route that changes something', () => {
  for (const [place, headersOf] of Object.entries(places)) {
    it(`when it comes from ${place}, even with the right token`, async () => {
      const token = await victim.browser.csrfToken()
      for (const { method, path, formOnly } of unsafeRows) {
        const { body, type } = bodyOf(formOnly)
        const headers = { 'Content-Type': type, 'X-CSRF-Token': token, ...headersOf(app.origin) }
        const answer = await victim.browser.send(fill(path), { method, headers, body })
        assert.equal(problem(answer), '403 origin_refused', `${method} ${path}`)
        assert.equal(speaksOfSession(app, answer), false)
      }
      await assertUntouched()
    })
  }

  const tokens: Readonly<Record<string, () => Promise<Headers>>> = {
    'no token': async () => ({}),
    'an empty token': async () => ({ 'X-CSRF-Token': '' }),
    'a token of the attacker’s own session': async () => ({
      'X-CSRF-Token': await (await newPerson(app)).browser.csrfToken(),
    }),
    'a token from before a login': async () => ({ 'X-CSRF-Token': await app.browser().csrfToken() }),
    'a token that was cut': async () => ({ 'X-CSRF-Token': (await victim.browser.csrfToken()).slice(0, -1) }),
    'a token with one character changed': async () => ({ 'X-CSRF-Token': turned(await victim.browser.csrfToken()) }),
    'two tokens': async () => {
      const token = await victim.browser.csrfToken()
      return { 'X-CSRF-Token': `${token}, ${token}` }
    },
    'its token in a cookie and the same in a header (double submit)': async () => ({
      Cookie: `${victim.browser.cookieHeader('/')}; csrf=abc; XSRF-TOKEN=abc`,
      'X-CSRF-Token': 'abc',
    }),
  }
  for (const [what, tokenHeaders] of Object.entries(tokens)) {
    it(`when it brings ${what}, even from our own origin`, async () => {
      const own = { Origin: app.origin, 'Sec-Fetch-Site': 'same-origin', ...(await tokenHeaders()) }
      app.events.splice(0)
      for (const { method, path, formOnly } of unsafeRows) {
        const { body, type } = bodyOf(formOnly)
        const answer = await victim.browser.send(fill(path), {
          method,
          headers: { 'Content-Type': type, ...own },
          body,
        })
        assert.equal(problem(answer), '403 csrf_failed', `${method} ${path}`)
        assert.equal(speaksOfSession(app, answer), false)
      }
      await assertUntouched()
    })
  }

  it('when its token stands in the address or in a JSON body', async () => {
    const token = await victim.browser.csrfToken()
    const headers = { 'X-CSRF-Token': undefined as never, Origin: app.origin, 'Content-Type': 'application/json' }
    const { 'X-CSRF-Token': _, ...sent } = headers
    for (const path of ['/auth/logout', `/auth/logout?_csrf=${token}`, `/auth/logout?X-CSRF-Token=${token}`]) {
      const body = JSON.stringify({ _csrf: token, csrfToken: token })
      const answer = await victim.browser.send(path, { method: 'POST', headers: sent, body })
      assert.equal(problem(answer), '403 csrf_failed', path)
    }
    await assertUntouched()
  })

  it('with the token of the id before the last change of id', async () => {
    const { browser } = await newPerson(app)
    const old = await browser.csrfToken()
    await browser.json('/auth/reauthenticate', { password: PASSWORD })
    const answer = await browser.json('/auth/logout', undefined, { headers: { 'X-CSRF-Token': old } })
    assert.equal(problem(answer), '403 csrf_failed')
    assert.equal(await stateOf(browser), 'signed in')
  })
})

describe('a token', () => {
  it('is another text in each answer, and all of them count', async () => {
    const { browser } = await newPerson(app)
    const ask = async (): Promise<string> => String((await browser.get('/auth/csrf')).json()['csrfToken'])
    const seen = [await ask(), await ask(), await ask()]
    assert.equal(new Set(seen).size, 3)
    for (const token of seen) {
      const headers = { 'X-CSRF-Token': token }
      assert.equal((await browser.json('/auth/profile', { bio: 'x' }, { method: 'PATCH', headers })).status, 200)
    }
  })

  it('holds nothing of the cookie', async () => {
    const { browser } = await newPerson(app)
    const bytes = Buffer.from(await browser.csrfToken(), 'base64url').toString('latin1')
    assert.ok(![...browser.cookies.values()].some(({ value }) => value.includes(bytes.slice(0, 8))))
  })
})

describe('a safe method changes nothing', () => {
  it('GET and HEAD on every route that changes something', async () => {
    for (const { path } of unsafeRows) {
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        const headers = {
          Accept: 'application/json',
          Origin: app.origin,
          'X-CSRF-Token': await victim.browser.csrfToken(),
        }
        const answer = await victim.browser.send(`${fill(path)}?bio=forged&password=x`, { method, headers })
        const isRead = FLOWS.some((row) => row.method === 'GET' && row.path === path)
        assert.ok(answer.status === 405 || (isRead && answer.status === 200), `${method} ${path}: ${answer.status}`)
      }
    }
    assert.equal(await stateOf(victim.browser), 'signed in')
    assert.deepEqual(app.events, [])
  })

  it('whatever claims that it is really a POST', async () => {
    const overrides: readonly Headers[] = [
      { 'X-HTTP-Method-Override': 'POST' },
      { 'X-HTTP-Method': 'POST' },
      { 'X-Method-Override': 'POST' },
    ]
    for (const override of overrides) {
      assert.equal((await victim.browser.get('/auth/logout', override)).status, 405)
      assert.equal((await victim.browser.get('/auth/logout?_method=POST', override)).status, 405)
    }
    // A form of ours that claims to be another method stays a POST.
    const answer = await victim.browser.form(`/auth/sessions/${'x'.repeat(22)}`, { _method: 'DELETE' })
    assert.equal(answer.status, 405)
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('an unknown method is taken for one that may change something', async () => {
    for (const method of ['PUT', 'PROPFIND', 'PURGE', 'MERGE']) {
      const answer = await victim.browser.send('/auth/logout', { method, headers: { Origin: 'https://evil.test' } })
      assert.equal(problem(answer), '403 origin_refused', method)
    }
  })
})

describe('login CSRF', () => {
  it('signs nobody in to the attacker’s account', async () => {
    const attacker = await newPerson(app)
    const fields = { identity: attacker.email, password: PASSWORD }
    const body = new URLSearchParams(fields).toString()
    for (const [place, headersOf] of Object.entries(places)) {
      const visitor = app.browser()
      await visitor.page('/login')
      const token = await visitor.csrfToken()
      const sent = {
        'Content-Type': 'application/x-www-form-urlencoded',
        'X-CSRF-Token': token,
        ...headersOf(app.origin),
      }
      const answer = await visitor.send('/auth/login', { method: 'POST', headers: sent, body })
      assert.equal(answer.status, 403, place)
      assert.equal(speaksOfSession(app, answer), false, place)
      assert.equal(await stateOf(visitor), null)
    }
  })

  it('signs nobody in without the cookie that the form was bound to, from a browser that has never been here', async () => {
    const attacker = await newPerson(app)
    const token = await app.browser().csrfToken()
    const answers = await Promise.all(
      [{}, { Origin: app.origin }, { Origin: 'https://evil.test' }].map((headers) =>
        app.browser().send('/auth/login', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': token, ...headers },
          body: JSON.stringify({ identity: attacker.email, password: PASSWORD }),
        }),
      ),
    )
    for (const answer of answers) assert.deepEqual([answer.status, answer.cookies], [403, []])
  })
})

describe('logout CSRF', () => {
  it('signs nobody out: by an image, a link, a form, a beacon', async () => {
    const evil = { Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }
    const image = {
      Accept: 'image/avif,image/webp,*/*',
      'Sec-Fetch-Dest': 'image',
      'Sec-Fetch-Mode': 'no-cors',
      'Sec-Fetch-Site': 'cross-site',
    }
    await victim.browser.send('/auth/logout', { headers: image })
    await victim.browser.page('/auth/logout', { 'Sec-Fetch-Site': 'cross-site' })
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/json',
    ]) {
      const answer = await victim.browser.send('/auth/logout', {
        method: 'POST',
        headers: { 'Content-Type': type, ...evil },
        body: '{}',
      })
      assert.equal(answer.status, 403, type)
    }
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('clears nothing in the browser either', () => {
    const wiped = victim.browser.answers.filter(({ headers }) => headers['clear-site-data'] !== undefined)
    assert.deepEqual(wiped, [])
  })
})

describe('the content type', () => {
  const json = JSON.stringify({ currentPassword: PASSWORD, password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD })
  const part = (name: string, value: string): string =>
    `--x\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`
  const multipart = `${part('currentPassword', PASSWORD)}${part('password', NEW_PASSWORD)}--x--\r\n`
  const bodies: readonly (readonly [type: string | null, body: string])[] = [
    [null, json],
    ['', json],
    ['text/plain', json],
    ['text/plain; a=application/json', json],
    ['application/x-www-form-urlencoded; a=application/json', json],
    ['application/json; charset=utf-7', json],
    ['application/json; charset=utf-16', json],
    ['application/json, text/plain', json],
    ['application/problem+json', json],
    ['application/vnd.api+json', json],
    ['application/jsonp', json],
    ['text/json', json],
    ['application/csp-report', json],
    ['multipart/form-data; boundary=x', multipart],
    ['application/octet-stream', json],
    ['application/xml', '<a/>'],
  ]

  it('must be exactly JSON or a form, even with a good token', async () => {
    const { browser, email } = await newPerson(app)
    for (const [type, body] of bodies) {
      const headers = { Accept: 'application/json', Origin: app.origin, 'X-CSRF-Token': await browser.csrfToken() }
      const typed = type === null ? headers : { ...headers, 'Content-Type': type }
      const answer = await browser.send('/auth/password', { method: 'POST', headers: typed, body })
      assert.equal(answer.json()['code'], 'unsupported_media_type', String(type))
    }
    assert.equal((await app.browser().login(email, PASSWORD)).status, 200)
  })

  it('a form that holds JSON is a form with a strange field', async () => {
    const { browser } = await newPerson(app)
    const body = `${json}=`
    const answer = await sendForm(browser, body, { 'X-CSRF-Token': await browser.csrfToken() })
    assert.equal(problem(answer), '422 invalid_input')
  })

  it('of a form alone makes a token in the body count', async () => {
    const { browser } = await newPerson(app)
    const token = await browser.csrfToken()
    for (const type of [
      'text/plain',
      'multipart/form-data; boundary=x',
      'application/x-www-form-urlencoded; charset=utf-16',
    ]) {
      const body = type.startsWith('multipart') ? `${part('_csrf', token)}--x--\r\n` : `_csrf=${token}`
      const headers = { Origin: app.origin, 'Content-Type': type }
      const answer = await browser.send('/auth/logout', { method: 'POST', headers, body })
      assert.equal(problem(answer), '403 csrf_failed', type)
    }
    assert.equal((await sendForm(browser, `_csrf=${token}&_csrf=${token}`)).status, 403)
    assert.equal(await stateOf(browser), 'signed in')
  })

  it('of a route for JSON alone cannot be a form, and the other way round', async () => {
    const { browser } = await newPerson(app)
    const patched = await browser.send('/auth/profile', {
      method: 'PATCH',
      headers: {
        Origin: app.origin,
        'X-CSRF-Token': await browser.csrfToken(),
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'bio=forged',
    })
    assert.equal(patched.status, 415)
    assert.equal((await browser.json('/auth/profile', { bio: 'forged' })).status, 415)
  })
})

function sendForm(browser: BrowserClient, body: string, headers: Headers = {}) {
  const type = 'application/x-www-form-urlencoded'
  return browser.send('/auth/password', {
    method: 'POST',
    headers: { Accept: 'application/json', Origin: app.origin, 'Content-Type': type, ...headers },
    body,
  })
}

function turned(token: string): string {
  return `${token.slice(0, 5)}${token[5] === 'A' ? 'B' : 'A'}${token.slice(6)}`
}
