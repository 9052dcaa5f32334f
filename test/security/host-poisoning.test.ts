// The attacker chooses the Host header, or one that a proxy would send: nothing that we build may lead to that host.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createFaultyStore } from '../support/faulty-store.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { startMailServer, type MailServer } from '../support/mail.ts'
import { newEmail, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { headerOf, sendRaw, type RawAnswer } from '../support/raw-http.ts'

const ORIGIN = 'https://app.example.test'
const HOST = 'app.example.test'

let mail: MailServer
let pocketbase: TestPocketBase

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url, appUrl: ORIGIN })
})

after(async () => {
  await pocketbase?.stop()
  await mail?.close()
})

const poisons: readonly (readonly string[])[] = [
  ['X-Forwarded-Host: evil.test'],
  ['X-Host: evil.test'],
  ['X-Forwarded-Server: evil.test'],
  ['X-HTTP-Host-Override: evil.test'],
  ['Forwarded: host=evil.test;proto=http'],
  ['X-Original-URL: http://evil.test/'],
  ['X-Rewrite-URL: http://evil.test/'],
  ['X-Forwarded-Prefix: //evil.test'],
  ['X-Forwarded-Port: 6666'],
  ['X-Forwarded-Scheme: javascript'],
]

function mentionsEvil({ headers, body }: RawAnswer): boolean {
  return JSON.stringify(headers).includes('evil') || body.includes('evil')
}

describe('behind a proxy in production', () => {
  let app: StartedApp
  const fromProxy = ['X-Forwarded-Proto: https', 'X-Forwarded-For: 198.51.100.7']

  before(async () => {
    app = await startApp({
      pocketbase: pocketbase.url,
      store: createFaultyStore(),
      production: true,
      origin: ORIGIN,
      trustProxy: 1,
    })
  })
  after(() => app?.close())

  const get = (host: readonly string[], more: readonly string[] = [], target = '/account'): Promise<RawAnswer> =>
    sendRaw(app.url, [`GET ${target} HTTP/1.1`, ...host, 'Accept: text/html', ...fromProxy, ...more])

  it('an unknown host is told that it is not served here', async () => {
    const hosts = [
      'evil.test',
      `${HOST}.evil.test`,
      `evil.test:443`,
      `${HOST}:8443`,
      `${HOST}@evil.test`,
      `evil.test#${HOST}`,
      '127.0.0.1',
      '',
    ]
    for (const host of hosts) {
      const answer = await get([`Host: ${host}`])
      assert.ok(answer.status === 421 || answer.status === 400, `${host}: ${answer.status}`)
      assert.equal(headerOf(answer, 'location'), undefined)
      assert.equal(headerOf(answer, 'set-cookie'), undefined)
      assert.equal(mentionsEvil(answer), false)
    }
  })

  it('of two Host headers the second one counts for nothing', async () => {
    assert.equal((await get(['Host: evil.test', `Host: ${HOST}`])).status, 421)
    const answer = await get([`Host: ${HOST}`, 'Host: evil.test'])
    assert.equal(headerOf(answer, 'location'), '/login?returnTo=%2Faccount')
    assert.equal(mentionsEvil(answer), false)
  })

  it('no Host header at all is no request', async () => {
    assert.equal((await get([])).status, 400)
  })

  it('a forwarded host that is not ours is refused, since the proxy said so', async () => {
    const answer = await get([`Host: ${HOST}`], ['X-Forwarded-Host: evil.test'])
    assert.equal(answer.status, 421)
    assert.equal(mentionsEvil(answer), false)
  })

  it('other headers about hosts and addresses change nothing', async () => {
    for (const poison of poisons.slice(1)) {
      const answer = await get([`Host: ${HOST}`], poison)
      assert.deepEqual(
        [answer.status, headerOf(answer, 'location')],
        [303, '/login?returnTo=%2Faccount'],
        poison.join(),
      )
      assert.equal(mentionsEvil(answer), false)
    }
  })

  it('a whole address in the request line leads nowhere else', async () => {
    const answer = await get([`Host: ${HOST}`], [], 'https://evil.test/account')
    assert.equal(mentionsEvil(answer), false)
  })

  it('plain http leads to the configured origin only, and gets no cookie', async () => {
    const plain = [`GET //evil.test/%2e%2e HTTP/1.1`, 'Host: evil.test', 'Accept: text/html', 'X-Forwarded-Proto: http']
    const answer = await sendRaw(app.url, plain)
    assert.equal(answer.status, 308)
    assert.equal(new URL(headerOf(answer, 'location') ?? '').origin, ORIGIN)
    assert.equal(headerOf(answer, 'set-cookie'), undefined)
  })
})

describe('without a proxy', () => {
  let app: StartedApp

  before(async () => {
    app = await startApp({ pocketbase: pocketbase.url })
  })
  after(() => app?.close())

  it('no header makes a redirect or a link that leads elsewhere', async () => {
    const host = `Host: ${new URL(app.url).host}`
    for (const lines of [...poisons.map((poison) => [host, ...poison]), ['Host: evil.test']]) {
      for (const path of ['/account', '/login', '/auth/status', '/nothing-here', '/reset-password?token=abc']) {
        const answer = await sendRaw(app.url, [`GET ${path} HTTP/1.1`, 'Accept: text/html', ...lines])
        assert.ok(answer.status < 500, `${path} ${lines.join()}`)
        assert.equal(mentionsEvil(answer), false, `${path} ${lines.join()}`)
      }
    }
  })

  it('a claim of https is not believed', async () => {
    const { status, cookies } = await app
      .browser({ 'X-Forwarded-Proto': 'https', 'X-Forwarded-Ssl': 'on' })
      .page('/login')
    assert.equal(status, 200)
    assert.ok(cookies.every((line) => !/; Secure/i.test(line)))
  })
})

describe('mails', () => {
  it('link to the configured origin, whatever host the request named', async () => {
    const email = newEmail()
    const app = await startApp({ pocketbase: pocketbase.url })
    try {
      const headers = { 'X-Forwarded-Host': 'evil.test', Forwarded: 'host=evil.test', 'X-Forwarded-Proto': 'http' }
      const browser = app.browser({ ...headers, Host: 'evil.test' })
      assert.equal((await browser.register(email, PASSWORD)).status, 201)
      assert.equal((await browser.json('/auth/password-reset', { email })).status, 202)
      for (const subject of ['Verify', 'Reset']) {
        const letter = await mail.next((each) => each.to.includes(email) && each.subject.startsWith(subject))
        assert.ok(letter.links.length > 0)
        for (const link of letter.links) assert.equal(link.origin, ORIGIN)
        assert.ok(!`${letter.html}${letter.text}`.includes('evil'))
      }
    } finally {
      await app.close()
    }
  })
})
