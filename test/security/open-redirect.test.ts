// The attacker sends somebody a link to our login page that leads somewhere else after signing in.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import { newEmail, newPerson, PASSWORD } from '../support/people.ts'
import { sendRaw, headerOf } from '../support/raw-http.ts'

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

const HOSTILE: readonly string[] = [
  '//evil.test',
  '///evil.test',
  '////evil.test/x',
  '/\\evil.test',
  '\\/evil.test',
  '\\\\evil.test',
  '/\t/evil.test',
  '/\n/evil.test',
  '/\r\n/evil.test',
  '/\u0000/evil.test',
  ' //evil.test',
  '\t//evil.test',
  '\u00a0//evil.test',
  '/%09/evil.test',
  '/%0a/evil.test',
  '/%0d%0aSet-Cookie:%20a=b',
  '/%5cevil.test',
  '/%5Cevil.test',
  '/%2fevil.test',
  '/%2F%2Fevil.test',
  '/..//evil.test',
  '/.//evil.test',
  '/account/..//evil.test',
  '/%2e%2e//evil.test',
  '/./..//evil.test',
  'https://evil.test',
  'https:evil.test',
  'https:/evil.test',
  'https:///evil.test',
  'http:evil.test',
  'HTTPS://EVIL.TEST',
  'ftp://evil.test',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:x',
  'evil.test',
  '.evil.test',
  '@evil.test',
  '?//evil.test',
  '#//evil.test',
  '/@evil.test/..//evil.test',
  `/${'a'.repeat(8192)}`,
  '\u2044\u2044evil.test',
  '\uff0f\uff0fevil.test',
  '/\uff0fevil.test/..//evil.test',
  '/auth/logout',
  '/auth/../auth/logout',
  '/AUTH/logout',
  '/login?returnTo=//evil.test',
  '/Login/',
  '',
]

/** Paths that look strange but lead to us: the browser must come to our own origin. */
const HARMLESS: readonly string[] = [
  '/account?next=//evil.test',
  '/account#//evil.test',
  '/a:b@evil.test',
  '/evil.test',
]

function hostile(): readonly string[] {
  const { origin } = app
  return [
    ...HOSTILE,
    `${origin}@evil.test`,
    `${origin}.evil.test/`,
    `${origin}/account`,
    `//${new URL(origin).host}@evil.test`,
  ]
}

/** Where a browser goes by this Location. */
function destination(location: string | undefined): URL {
  return new URL(location ?? '', app.origin)
}

async function assertStays(location: string | undefined, asked: string): Promise<void> {
  const { origin, protocol } = destination(location)
  assert.deepEqual([origin, protocol], [app.origin, 'http:'], `${JSON.stringify(asked)} → ${location}`)
}

describe('returnTo', () => {
  it('of the login form leads to no other site, and to nothing but pages', async () => {
    const { email } = await newPerson(app)
    for (const returnTo of hostile()) {
      const answer = await app.browser().form('/auth/login', { identity: email, password: PASSWORD, returnTo })
      assert.deepEqual(
        [answer.status, answer.headers.location],
        [303, '/account'],
        JSON.stringify(returnTo).slice(0, 80),
      )
    }
  })

  it('that is a path of ours is followed as it is', async () => {
    const { email } = await newPerson(app)
    for (const returnTo of HARMLESS) {
      const answer = await app.browser().form('/auth/login', { identity: email, password: PASSWORD, returnTo })
      assert.equal(answer.status, 303)
      await assertStays(answer.headers.location, returnTo)
    }
  })

  it('of the address is shown in the form only where it is a path of ours, and stays text there', async () => {
    for (const returnTo of [...hostile(), '/"><script>alert(1)</script>', "/'onmouseover='alert(1)"]) {
      const browser = app.browser()
      for (const path of ['/login', '/register']) {
        const { text } = await browser.page(`${path}?returnTo=${encodeURIComponent(returnTo)}`)
        const [, value = 'missing'] = /name="returnTo" value="([^"]*)"/.exec(text) ?? []
        const isPath = value.startsWith('/') && !value.startsWith('//')
        assert.ok(value === '' || isPath, `${JSON.stringify(returnTo)} → ${value}`)
        assert.ok(!value.includes('evil.test') && !text.includes('<script>alert'), value)
      }
    }
  })

  it('that comes twice, or as a list or an object, is none', async () => {
    const { email } = await newPerson(app)
    const fields = `identity=${email}&password=${encodeURIComponent(PASSWORD)}`
    for (const more of [
      'returnTo=/devices&returnTo=//evil.test',
      'returnTo[]=//evil.test',
      'returnTo[href]=//evil.test',
    ]) {
      const browser = app.browser()
      const token = await browser.csrfToken()
      const headers = { Accept: 'text/html', Origin: app.origin, 'Content-Type': 'application/x-www-form-urlencoded' }
      const answer = await browser.send('/auth/login', {
        method: 'POST',
        headers,
        body: `_csrf=${token}&${fields}&${more}`,
      })
      assert.doesNotMatch(answer.headers.location ?? '', /evil/, more)
    }
    const { text } = await app.browser().page('/login?returnTo=/devices&returnTo=//evil.test')
    assert.match(text, /name="returnTo" value=""/)
  })

  it('of the other forms leads to no other site', async () => {
    for (const returnTo of ['//evil.test', 'https://evil.test', '/\\evil.test', 'javascript:alert(1)']) {
      const { browser } = await newPerson(app)
      const answers = [
        await browser.form('/auth/profile', { displayName: 'Ann', returnTo }),
        await browser.form('/auth/reauthenticate', { password: PASSWORD, returnTo }),
        await browser.form('/auth/logout', { returnTo }),
        await app.browser().form('/auth/password-reset', { email: newEmail(), returnTo }),
        await app.browser().form('/auth/register', {
          email: newEmail(),
          password: PASSWORD,
          passwordConfirm: PASSWORD,
          'profile.displayName': 'Ann',
          returnTo,
        }),
      ]
      for (const answer of answers) {
        assert.equal(answer.status, 303, answer.path)
        await assertStays(answer.headers.location, returnTo)
      }
    }
  })
})

describe('the way to the login page and back', () => {
  const asked = ['//evil.test/account', '/account/../..//evil.test', '/account?x=//evil.test', '/admin\\..\\evil.test']

  it('leads back to a path of ours, whatever address was asked for', async () => {
    for (const path of asked) {
      const answer = await app.browser().page(path)
      await assertStays(answer.headers.location, path)
      const returnTo = destination(answer.headers.location).searchParams.get('returnTo')
      if (returnTo !== null) await assertStays(returnTo, path)
    }
  })

  it('is not taken from a whole address in the request line', async () => {
    const lines = ['GET http://evil.test/account HTTP/1.1', `Host: ${new URL(app.url).host}`, 'Accept: text/html']
    const answer = await sendRaw(app.url, lines)
    assert.doesNotMatch(headerOf(answer, 'location') ?? '', /evil/)
    assert.doesNotMatch(answer.body, /href="[^"]*evil/)
  })

  it('does not come from the Referer', async () => {
    const { browser } = await newPerson(app)
    const answer = await browser.form('/auth/profile', { displayName: 'Ann' }, { Referer: 'https://evil.test/x' })
    assert.match(String(answer.headers.location), /^\/account\?/)
  })

  it('does not offer to try again at another site on an error page', async () => {
    await app.pocketbase?.pause()
    try {
      const answer = await app.browser().page('//evil.test/login')
      assert.doesNotMatch(answer.text, /href="\/\/evil/)
    } finally {
      app.pocketbase?.resume()
    }
  })
})
