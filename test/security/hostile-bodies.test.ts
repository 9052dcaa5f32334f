// The attacker sends too much, too deep, too long, or what bcrypt would cut: refused before anything is hashed or stored.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { startApp, type StartedApp } from '../support/app.ts'
import { fieldsOf, NEW_PASSWORD, newEmail, newPerson, PASSWORD, problem, stateOf } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { sendRaw } from '../support/raw-http.ts'

const MEGABYTE = 1024 * 1024

let pocketbase: TestPocketBase
let app: StartedApp

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({ pocketbase: pocketbase.url })
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

interface Body {
  readonly type: string
  readonly body: string | Buffer
  readonly headers?: Readonly<Record<string, string>>
}

async function post(path: string, { type, body, headers = {} }: Body) {
  const browser = app.browser()
  const token = await browser.csrfToken()
  const all = {
    Accept: 'application/json',
    Origin: app.origin,
    'X-CSRF-Token': token,
    'Content-Type': type,
    ...headers,
  }
  return browser.send(path, { method: 'POST', headers: all, body })
}

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
const login = (password: string): string => JSON.stringify({ identity: 'ann@example.com', password })

describe('a body', () => {
  const bodies: Readonly<Record<string, Body & { readonly statuses: readonly number[] }>> = {
    'of one megabyte': { type: JSON_TYPE, body: login('x'.repeat(MEGABYTE)), statuses: [413] },
    'of one megabyte, as a form': { type: FORM_TYPE, body: `password=${'x'.repeat(MEGABYTE)}`, statuses: [413] },
    'that is nested ten thousand deep': {
      type: JSON_TYPE,
      body: `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
      statuses: [400],
    },
    'that is nested ten thousand deep in objects': {
      type: JSON_TYPE,
      body: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      statuses: [400],
    },
    'of ten thousand fields': {
      type: JSON_TYPE,
      body: `{${Array.from({ length: 5000 }, (_, i) => `"k${i}":1`).join()}}`,
      statuses: [400, 413],
    },
    'of ten thousand fields, as a form': { type: FORM_TYPE, body: 'a=1&'.repeat(10_000), statuses: [413] },
    'of a form with a thousand brackets': { type: FORM_TYPE, body: `a${'[b]'.repeat(1000)}=1`, statuses: [422] },
    'that is compressed': {
      type: JSON_TYPE,
      body: gzipSync(login('x'.repeat(MEGABYTE))),
      headers: { 'Content-Encoding': 'gzip' },
      statuses: [415],
    },
    'that is compressed otherwise': {
      type: FORM_TYPE,
      body: deflateSync('a=1'),
      headers: { 'Content-Encoding': 'deflate' },
      statuses: [415],
    },
    'that is not UTF-8': { type: JSON_TYPE, body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), statuses: [400] },
    'that is cut': { type: JSON_TYPE, body: '{"identity": "ann', statuses: [400] },
    'with a number of a thousand digits': {
      type: JSON_TYPE,
      body: `{"identity": ${'9'.repeat(1000)}, "password": 1e999}`,
      statuses: [422],
    },
    'that is a list': { type: JSON_TYPE, body: '[1,2,3]', statuses: [400] },
    'that is a text': { type: JSON_TYPE, body: '"text"', statuses: [400] },
  }
  for (const [what, { statuses, ...body }] of Object.entries(bodies)) {
    it(`${what} is refused, and nobody is asked`, async () => {
      app.events.splice(0)
      const answer = await post('/auth/login', body)
      assert.ok(statuses.includes(answer.status), `${answer.status} ${answer.text.slice(0, 200)}`)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(
        app.events.some(({ name }) => name.startsWith('authn_')),
        false,
      )
    })
  }

  it('that never comes holds nobody else up', async () => {
    const host = `Host: ${new URL(app.url).host}`
    const head = ['POST /auth/login HTTP/1.1', host, `Origin: ${app.origin}`, 'Content-Type: application/json']
    const { status } = await sendRaw(app.url, [...head, 'Content-Length: 100000'], '{').catch(() => ({ status: 0 }))
    assert.ok(status === 403 || status === 0)
    assert.equal((await app.browser().get('/auth/status')).status, 200)
  })

  it('with two lengths, or a length and chunks, is no request', async () => {
    const host = `Host: ${new URL(app.url).host}`
    const smuggled: readonly (readonly string[])[] = [
      ['Content-Length: 5', 'Content-Length: 6'],
      ['Content-Length: 5', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding: chunked, identity'],
      ['Content-Length: 0x5'],
      ['Content-Length: +5'],
      ['Content-Length : 5'],
    ]
    for (const lines of smuggled) {
      const { status } = await sendRaw(
        app.url,
        ['POST /auth/login HTTP/1.1', host, ...lines],
        '0\r\n\r\nGET /account HTTP/1.1\r\n\r\n',
      )
      assert.equal(status, 400, lines.join())
    }
  })
})

describe('an address', () => {
  it('or a header that is too long is refused, and the next request is answered', async () => {
    const long = 'x'.repeat(20_000)
    const host = `Host: ${new URL(app.url).host}`
    assert.ok([414, 431].includes((await sendRaw(app.url, [`GET /${long} HTTP/1.1`, host])).status))
    assert.equal((await sendRaw(app.url, ['GET / HTTP/1.1', host, `Cookie: a=${long}`])).status, 431)
    assert.equal((await app.browser().get('/auth/status')).status, 200)
  })

  it('that is no address gives 400 or 404, never 500', async () => {
    const host = `Host: ${new URL(app.url).host}`
    const targets = [
      '/%',
      '/%zz',
      '/%ff',
      '/%c0%ae%c0%ae/',
      '/..%2f..%2fetc/passwd',
      '/../../etc/passwd',
      '*',
      '//',
      '/\\',
      '/auth/sessions/%ff',
      '/auth/sessions/%00',
      '/a?b=%ff&%',
      '/login?returnTo=%ff',
      '/%2e%2e/%2e%2e',
      '/auth/sessions/..',
    ]
    for (const target of targets) {
      for (const accept of ['text/html', 'application/json']) {
        const { status } = await sendRaw(app.url, [`GET ${target} HTTP/1.1`, host, `Accept: ${accept}`])
        assert.ok([200, 303, 400, 401, 404, 405].includes(status), `${target}: ${status}`)
      }
    }
  })

  it('of a file of the server, or of PocketBase, is not there', async () => {
    const { browser } = await newPerson(app)
    const paths = [
      '/package.json',
      '/.env',
      '/data/secret',
      '/data/sessions.db',
      '/server/app.ts',
      '/api/health',
      '/api/collections/users/records',
      '/_/',
      '/pb/api/health',
      '/auth/../data/secret',
    ]
    for (const path of paths) assert.equal((await browser.get(path)).status, 404, path)
  })

  it('with an id of PocketBase that is really a path asks for no other path', async () => {
    const admin = await newPerson(app)
    await pocketbase.admin.setRole(admin.email, 'admin')
    for (const id of ['..', '.', '../../settings', '..%2f..%2fsettings', '?x=1', '#', '%00', 'x'.repeat(5000)]) {
      const answer = await admin.browser.get(`/auth/admin/users/${encodeURIComponent(id)}/sessions`)
      assert.ok([403, 404].includes(answer.status), `${id.slice(0, 20)}: ${answer.status}`)
      assert.doesNotMatch(answer.text, /"sessions"|smtp|collectionName/)
      const page = await admin.browser.page(`/admin?user=${encodeURIComponent(id)}`)
      assert.ok([200, 403].includes(page.status), `${id.slice(0, 20)}: ${page.status}`)
    }
    for (const query of ['" || 1=1 || "', "' OR 1=1 --", '%', '_', '*', '{:query}', '$&', 'a"'.repeat(50)]) {
      const answer = await admin.browser.get(`/auth/admin/users?q=${encodeURIComponent(query)}`)
      assert.equal(answer.status, 200, query)
      assert.ok((answer.json()['users'] as readonly unknown[]).length <= 20)
    }
  })
})

describe('a password', () => {
  /** 72 bytes; PocketBase takes 71 characters. */
  const exactly72 = `ü${'a1'.repeat(35)}`

  it('of up to 72 bytes is taken whole; a longer one is refused at every door where one is chosen', async () => {
    const { browser } = await newPerson(app)
    for (const password of [
      `${exactly72}x`,

      'é'.repeat(64),
      '👩'.repeat(19),
      `${PASSWORD}\0`,
      '\0'.repeat(8),
    ]) {
      const chosen = { password, passwordConfirm: password }
      const answers = [
        await app.browser().register(newEmail(), password),
        await browser.json('/auth/password', { currentPassword: PASSWORD, ...chosen }),
        await app.browser().json('/auth/password-reset/confirm', { token: 'x', ...chosen }),
      ]
      for (const answer of answers)
        assert.deepEqual([answer.status, fieldsOf(answer)], [422, ['password']], answer.path)
    }
    assert.equal((await app.browser().register(newEmail(), exactly72)).status, 201)
    assert.equal(await stateOf(browser), 'signed in')
  })

  it('with something added does not sign in, however long the right one is', async () => {
    for (const right of [PASSWORD, exactly72, 'ü'.repeat(36), '12345678']) {
      const email = newEmail()
      assert.equal((await app.browser().register(email, right)).status, 201)
      for (const wrong of [
        `${right}x`,
        `${right}\0`,
        `${right}\0x`,
        `${right} `,
        ` ${right}`,
        right.slice(0, -1),
        `${right}${'x'.repeat(72)}`,
        right.toUpperCase().replace(/^/, '~'),
      ]) {
        assert.equal(problem(await app.browser().login(email, wrong)), '401 invalid_credentials', JSON.stringify(wrong))
      }
      assert.equal((await app.browser().login(email, right)).status, 200)
    }
  })

  it('with something added does not confirm who somebody is, nor change the password', async () => {
    const email = newEmail()
    const browser = app.browser()
    await browser.register(email, exactly72)
    const change = { currentPassword: `${exactly72}x`, password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
    assert.equal((await browser.json('/auth/password', change)).status, 422)
    assert.equal((await browser.json('/auth/reauthenticate', { password: `${exactly72}x` })).status, 401)
    assert.equal((await app.browser().login(email, exactly72)).status, 200)
  })

  it('of 100 kB is refused before it is hashed', async () => {
    const answer = await app.browser().login('ann@example.com', 'x'.repeat(90_000))
    assert.deepEqual([answer.status, fieldsOf(answer)], [422, ['password']])
  })

  it('that is only white space, or the same in another normal form, stays what it is', async () => {
    const email = newEmail()
    const composed = 'pässwörd-é'.normalize('NFC')
    assert.equal((await app.browser().register(email, composed)).status, 201)
    assert.equal((await app.browser().login(email, composed.normalize('NFD'))).status, 401)
    assert.equal((await app.browser().login(email, composed)).status, 200)
  })
})

describe('an e-mail address', () => {
  it('that is none, or would be more than one, is refused', async () => {
    const wrong = [
      'ann',
      'ann@',
      '@example.com',
      'ann@example.com,bob@example.com',
      'ann@example.com\r\nBcc: bob@example.com',
      'ann@example.com\0',
      '<ann@example.com>',
      'Ann <ann@example.com>',
      '"ann"@example.com x',
      'ann@exa mple.com',
      `${'a'.repeat(300)}@example.com`,
      'ann@example.com>\r\n',
      'ann@[127.0.0.1]',
    ]
    for (const email of wrong) {
      const answer = await app.browser().register(email, PASSWORD)
      assert.deepEqual([answer.status, fieldsOf(answer)], [422, ['email']], JSON.stringify(email))
      assert.equal((await app.browser().json('/auth/password-reset', { email })).status, 422, JSON.stringify(email))
    }
  })

  it('is one account, whatever its case', async () => {
    const email = newEmail('case')
    assert.equal((await app.browser().register(email, PASSWORD)).status, 201)
    for (const other of [email.toUpperCase(), email.replace('case', 'CaSe'), ` ${email} `]) {
      const answer = await app.browser().register(other, PASSWORD)
      assert.deepEqual([answer.status, fieldsOf(answer)], [422, ['email']], other)
    }
  })
})
