// Headers that keep a browser from running, framing, sniffing, caching or sharing what it gets: on every kind of answer.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { createFaultyStore, type FaultyStore } from '../support/faulty-store.ts'
import { runJourney } from '../support/journey.ts'
import { startMailServer, type MailServer } from '../support/mail.ts'
import { newPerson, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'

const HTTPS = 'https://app.example.test'
const PROXY = { Host: 'app.example.test', 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '198.51.100.7' }

let mail: MailServer
let pocketbase: TestPocketBase

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url })
})

after(async () => {
  await pocketbase?.stop()
  await mail?.close()
})

const kindOf = ({ status, headers }: SeenAnswer): string =>
  `${status} ${(headers['content-type'] ?? 'no body').split(';')[0]}`

function assertHeaders(answer: SeenAnswer, isHttps: boolean): void {
  const { headers } = answer
  const where = `${answer.method} ${answer.path}: ${kindOf(answer)}`
  const policy = String(headers['content-security-policy'])
  for (const directive of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]) {
    assert.ok(policy.includes(directive), `${where}: ${directive}`)
  }
  assert.match(policy, /script-src 'nonce-[\w-]{24}' 'strict-dynamic'/, where)
  assert.doesNotMatch(policy, /unsafe|\*|https?:/, where)
  const wanted = {
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'origin-agent-cluster': '?1',
    'x-powered-by': undefined,
    server: undefined,
    'strict-transport-security': isHttps ? 'max-age=63072000; includeSubDomains' : undefined,
  }
  for (const [name, value] of Object.entries(wanted)) assert.equal(headers[name], value, `${where}: ${name}`)
  assert.match(String(headers['referrer-policy']), /^(?:same-origin|no-referrer)$/, where)
  assert.ok(headers['permissions-policy'], where)
}

/** What browsers look at before they let another origin read an answer. */
function assertShared(answer: SeenAnswer): void {
  const shared = Object.keys(answer.headers).filter((name) => /^access-control-|^timing-allow-origin$/.test(name))
  assert.deepEqual(shared, [], answer.path)
}

for (const [what, options, headers] of [
  ['over https', { production: true, origin: HTTPS, trustProxy: 1 }, PROXY],
  ['in development', {}, {}],
] as const) {
  describe(`every answer ${what}`, () => {
    let app: StartedApp
    let store: FaultyStore
    let answers: readonly SeenAnswer[]

    before(async () => {
      store = createFaultyStore(undefined, { delayMs: 0 })
      app = await startApp({ pocketbase: pocketbase.url, store, ...options })
      const journey = await runJourney({ app, mail, pocketbase, headers })
      answers = [...journey.answers, ...(await unusual())]
    })
    after(() => app?.close())

    /** Answers that none of the flows gives. */
    async function unusual(): Promise<readonly SeenAnswer[]> {
      const browser = app.browser(headers)
      const { text } = await browser.page('/login')
      for (const [, asset = ''] of text.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|js|svg))"/g)) await browser.get(asset)
      for (const method of ['HEAD', 'OPTIONS', 'PUT', 'TRACE', 'PROPFIND']) await browser.send('/login', { method })
      await browser.get('/account/x.css')
      await browser.get('/auth/status;.png')
      await browser.get('/auth/nothing')
      await browser.send('/login', { headers: { 'X-Forwarded-Proto': 'http', Accept: 'text/html' } })
      await browser.send('/login', { headers: { 'X-Forwarded-Proto': 'http' } })
      await browser.send('/login', { headers: { Host: 'evil.test' } })
      await browser.register(`headers-${what.length}@example.com`, PASSWORD)
      store.fault('find', 'reject')
      await browser.get('/account')
      await browser.page('/account')
      store.heal()
      store.fault('ping', 'reject')
      await browser.get('/health/ready')
      store.heal()
      return browser.answers
    }

    it('has the same security headers, whatever it is', () => {
      for (const answer of answers) assertHeaders(answer, app.origin.startsWith('https:'))
    })

    it('was seen in every kind', () => {
      const kinds = new Set(answers.map(kindOf))
      const wanted = [
        '200 text/html',
        '200 application/json',
        '200 text/css',
        '204 no body',
        '303 no body',
        '401 application/problem+json',
        '403 application/problem+json',
        '403 text/html',
        '404 text/html',
        '404 application/problem+json',
        '405 application/problem+json',
        '422 text/html',
        '503 application/problem+json',
        '503 text/html',
        ...(app.origin.startsWith('https:') ? ['421 application/problem+json', '400 application/problem+json'] : []),
      ]
      for (const kind of wanted) assert.ok(kinds.has(kind), `${kind} is not among ${[...kinds].join(', ')}`)
    })

    it('is kept by no cache, but for files that are the same for everybody', () => {
      for (const { headers: sent, path, cookies, method, status } of answers) {
        // Nothing is made for one user here: what methods there are, and that plain http leads to https.
        if (method === 'OPTIONS' || status === 308) continue
        if (/\.(?:css|js|svg)$/.test(path) && String(sent['cache-control']).includes('immutable'))
          assert.deepEqual(cookies, [])
        else assert.match(String(sent['cache-control']), /no-store/, path)
        assert.equal(sent['etag'] !== undefined && /no-store/.test(String(sent['cache-control'])), false, path)
      }
    })

    it('is shared with no other origin', () => {
      for (const answer of answers) assertShared(answer)
    })
  })
}

describe('the nonce', () => {
  it('is another one in each answer, and stands at every script and style of a page', async () => {
    const app = await startApp({ pocketbase: pocketbase.url })
    try {
      const seen = new Set<string>()
      for (const path of ['/', '/login', '/register', '/login', '/nothing-here']) {
        const { headers, text } = await app.browser().page(path)
        const [, nonce = ''] = /'nonce-([\w-]+)'/.exec(String(headers['content-security-policy'])) ?? []
        assert.ok(nonce.length >= 22 && !seen.has(nonce))
        seen.add(nonce)
        const active = [...text.matchAll(/<(?:script|style|link rel="stylesheet")[^>]*>/g)].map(([tag]) => tag)
        assert.ok(active.length >= 2)
        for (const tag of active) assert.ok(tag.includes(`nonce="${nonce}"`), tag)
        assert.doesNotMatch(text, /\son\w+=|javascript:|<script(?![^>]*\ssrc=)/i)
      }
    } finally {
      await app.close()
    }
  })
})

describe('another origin', () => {
  it('is told nothing about whether it may read, not even before it asks', async () => {
    const app = await startApp({ pocketbase: pocketbase.url })
    try {
      const { browser } = await newPerson(app)
      for (const origin of ['https://evil.test', 'null', `${app.origin}.evil.test`, app.origin]) {
        for (const path of ['/auth/status', '/auth/csrf', '/account', '/auth/sessions']) {
          assertShared(await browser.get(path, { Origin: origin, 'Sec-Fetch-Site': 'cross-site' }))
          const preflight = {
            Origin: origin,
            'Access-Control-Request-Method': 'POST',
            'Access-Control-Request-Headers': 'x-csrf-token',
          }
          const answer = await browser.send(path, { method: 'OPTIONS', headers: preflight })
          assertShared(answer)
          assert.ok(answer.status >= 400 || answer.text === '' || !answer.text.includes('"user"'), path)
        }
      }
    } finally {
      await app.close()
    }
  })
})
