// The attacker changes the cookie's value, writes it in other ways, or plants a second one of the same name.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { createFaultyStore, type FaultyStore } from '../support/faulty-store.ts'
import { newPerson, PASSWORD, sessionCookie, stateOf, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { sendRaw } from '../support/raw-http.ts'
import { assertOpensNothing, browserWithCookie } from '../support/stolen-cookies.ts'

let pocketbase: TestPocketBase
let store: FaultyStore
let app: StartedApp
let victim: Person
let good: string
let name: string

before(async () => {
  pocketbase = await startPocketBase()
  store = createFaultyStore(undefined, { delayMs: 0 })
  app = await startApp({ pocketbase: pocketbase.url, store })
  victim = await newPerson(app)
  good = sessionCookie(victim.browser) ?? ''
  name = app.services.config.cookie.name
})

beforeEach(() => void app.events.splice(0))

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

/** Asks for the account with this Cookie header. */
function ask(cookie: string): Promise<SeenAnswer> {
  return app.browser().get('/account', { Cookie: cookie })
}

const otherCharacter = (character: string): string => (character === 'A' ? 'B' : 'A')

function tampered(): readonly string[] {
  const flipped = [...good].map((character, at) => good.slice(0, at) + otherCharacter(character) + good.slice(at + 1))
  const cut = [...good].map((_, at) => good.slice(0, at))
  const [id = '', signature = ''] = good.slice('s%3A'.length).split('.')
  const rewritten = [
    decodeURIComponent(good),
    good.replace('s%3A', 's%3a'),
    good.replace('s%3A', ''),
    good.replace('s%3A', 'j%3A'),
    good.replace('.', '%2E'),
    good.replace(id.slice(0, 1), `%${id.charCodeAt(0).toString(16)}`),
    encodeURIComponent(good),
    good.toLowerCase(),
    good.toUpperCase(),
    `"${good}"`,
    `${good}=`,
    `${good}%3D`,
    `${good}x`,
    `${good}%00`,
    `${good},${good}`,
    `${good}\t; a=b`,
    `${good} `.concat('; a=b'),
    `x${good}`,
    `s%3A${id}`,
    `s%3A${id}.`,
    `s%3A.${signature}`,
    `s%3A${id}.${id}`,
    `s%3A${id}.${signature}.${signature}`,
    `s%3A${signature}.${id}`,
    id,
    '',
    's%3A',
    'null',
    'undefined',
    '[object Object]',
    '%E0%A4%A',
    '../../../etc/passwd',
    "' OR 1=1 --",
    'A'.repeat(10_000),
    `s%3A${'A'.repeat(10_000)}.${signature}`,
  ]
  return [...flipped, ...cut, ...rewritten].filter((value) => value !== good)
}

describe('a cookie that was tampered with', () => {
  it('is no session, gets the answer of a request without a cookie, and no store is asked', async () => {
    const without = await app.browser().get('/account')
    store.fault('find', 'reject')
    const before = store.calls.find
    for (const value of tampered()) {
      const answer = await ask(`${name}=${value}`)
      assert.deepEqual(
        [answer.status, answer.text, answer.cookies],
        [401, without.text, without.cookies],
        value.slice(0, 120),
      )
    }
    assert.equal(store.calls.find, before)
    store.heal()
    assert.equal((await ask(`${name}=${good}`)).status, 200)
  })

  it('opens nothing, whatever is asked for', async () => {
    for (const value of [decodeURIComponent(good), good.slice(0, -1), good.toLowerCase(), `"${good}"`, '']) {
      await assertOpensNothing(app, browserWithCookie(app, value), null)
    }
  })

  it('is noted as an attack, without its value', async () => {
    await ask(`${name}=${good.slice(0, -1)}x`)
    const { name: event, event: about } = app.events.at(-1) ?? {}
    assert.deepEqual([event, about?.['why']], ['malicious_extraneous', 'bad_signature'])
    assert.ok(!JSON.stringify(app.events).includes(good.slice(4, 30)))
  })

  it('is not looked for under other names or spellings of the name', async () => {
    const before = store.calls.find
    const names = [
      name.toUpperCase(),
      ` ${name} `,
      `${name} `,
      `x${name}`,
      `${name}x`,
      `$${name}`,
      `a=b;\t${name}`,
      `a=b;  ${name}`,
      `$Version=1; $Path=/; "${name}"`,
      encodeURIComponent(name).replace('-', '%2D'),
      'connect.sid',
      '__Host-Http-session',
    ]
    for (const each of names) assert.equal((await ask(`${each}=${good}`)).status, 401, each)
    assert.equal(store.calls.find, before)
  })

  it('is read as it was sent where white space of other kinds stands before its name', async () => {
    for (const space of ['\u00a0', '\u0085', '\v', '\f']) {
      const lines = [
        'GET /account HTTP/1.1',
        `Host: ${new URL(app.url).host}`,
        'Accept: application/json',
        `Cookie: a=b;${space}${name}=${good}`,
      ]
      const { status } = await sendRaw(app.url, lines)
      assert.ok(status === 401 || status === 400, `${JSON.stringify(space)}: ${status}`)
    }
  })
})

describe('two cookies of our name', () => {
  const pairs: Readonly<Record<string, (other: string) => string>> = {
    'the planted one first': (other) => `${name}=${other}; ${name}=${good}`,
    'the planted one last': (other) => `${name}=${good}; ${name}=${other}`,
    'with others between them': (other) => `a=1; ${name}=${good}; b=2;${name}=${other}; c=3`,
    'the same twice': () => `${name}=${good}; ${name}=${good}`,
    'an empty one': () => `${name}=; ${name}=${good}`,
  }
  for (const [how, pair] of Object.entries(pairs)) {
    it(`are no session: ${how}`, async () => {
      const attacker = await newPerson(app)
      const reads = store.calls.find
      app.events.splice(0)
      const answer = await ask(pair(sessionCookie(attacker.browser) ?? ''))
      assert.equal(answer.status, 401)
      assert.equal(store.calls.find, reads)
      assert.deepEqual(
        app.events.map(({ name: event, event: { why } }) => [event, why]),
        [['malicious_extraneous', 'duplicate_cookie']],
      )
      assert.equal(await stateOf(attacker.browser), 'signed in')
    })
  }

  it('are no session where they come in two Cookie headers', async () => {
    const lines = [
      'GET /account HTTP/1.1',
      `Host: ${new URL(app.url).host}`,
      'Accept: application/json',
      `Cookie: ${name}=${good}`,
      `Cookie: ${name}=${good}`,
    ]
    assert.equal((await sendRaw(app.url, lines)).status, 401)
  })

  it('change nothing, even with a good CSRF token', async () => {
    const token = await victim.browser.csrfToken()
    const headers = { Cookie: `${name}=${good}; ${name}=x`, 'X-CSRF-Token': token }
    assert.equal((await victim.browser.json('/auth/logout-everywhere', undefined, { headers })).status, 403)
    assert.equal((await ask(`${name}=${good}`)).status, 200)
  })

  it('are cleared in development at every path where they can stand, so that nobody is locked out', async () => {
    const { cookies } = await app.browser().get('/auth/status', { Cookie: `${name}=${good}; ${name}=x` })
    const paths = cookies.filter((line) => line.startsWith(`${name}=;`)).map((line) => /Path=([^;]+)/.exec(line)?.[1])
    assert.deepEqual(new Set(paths), new Set(['/', '/auth', '/auth/', '/auth/status', '/auth/status/']))
  })

  it('do not stop anybody from signing in', async () => {
    const browser = app.browser()
    const token = await browser.csrfToken()
    const pre = browser.cookieHeader('/')
    const headers = { Cookie: `${pre}; ${name}=${good}; ${name}=x`, 'X-CSRF-Token': token }
    const answer = await browser.json('/auth/login', { identity: victim.email, password: PASSWORD }, { headers })
    assert.equal(answer.status, 200)
  })

  it('of the pre-login name make no CSRF token count', async () => {
    const browser = app.browser()
    const token = await browser.csrfToken()
    const pre = browser.cookieHeader('/')
    const headers = { Cookie: `${pre}; ${pre}`, 'X-CSRF-Token': token }
    const answer = await browser.json('/auth/login', { identity: victim.email, password: PASSWORD }, { headers })
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'csrf_failed'])
  })
})

describe('in production', () => {
  const proxied = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '198.51.100.7', Host: 'app.example.test' }
  let live: StartedApp

  before(async () => {
    const origin = 'https://app.example.test'
    live = await startApp({
      pocketbase: pocketbase.url,
      store: createFaultyStore(),
      production: true,
      origin,
      trustProxy: 1,
    })
  })
  after(() => live?.close())

  it('two cookies of our name are left where they are: a prefix keeps siblings from planting any', async () => {
    const person = await newPersonBehindProxy()
    const cookie = `__Host-Http-session=${sessionCookie(person)}; __Host-Http-session=x`
    const answer = await live.browser(proxied).get('/account', { Cookie: cookie })
    assert.deepEqual([answer.status, answer.cookies], [401, []])
    assert.equal(await stateOf(person), 'signed in')
  })

  it('a disguised prefix is not ours', async () => {
    const person = await newPersonBehindProxy()
    for (const disguise of [
      '__host-http-session',
      '__Host-Http-session ',
      '\u2000__Host-Http-session',
      '$Version=1; "__Host-Http-session"',
    ]) {
      const cookie = Buffer.from(`${disguise}=${sessionCookie(person)}`).toString('latin1')
      assert.equal((await live.browser(proxied).get('/account', { Cookie: cookie })).status, 401, disguise)
    }
  })

  async function newPersonBehindProxy() {
    const browser = live.browser(proxied)
    assert.equal((await browser.register(`p${live.events.length}@example.com`, PASSWORD)).status, 201)
    return browser
  }
})
