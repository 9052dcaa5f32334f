// The attacker gets text of their own onto our pages: by a link, a form, their profile, their browser's name.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { newEmail, newPerson, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { sendRaw } from '../support/raw-http.ts'

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

const PAYLOADS: readonly string[] = [
  '"><script>canary()</script>',
  "'><img src=x onerror=canary()>",
  '</textarea><script>canary()</script>',
  '</title><svg onload=canary()>',
  '" autofocus onfocus="canary()',
  "' onmouseover='canary()",
  '<%= process.env %>',
  '<%~ canary() %>',
  '{{canary()}}${canary()}',
  'javascript:canary()',
  '<base href="//evil.test/">',
  '<meta http-equiv="refresh" content="0;url=//evil.test">',
  '<!--',
  '&lt;script&gt;canary()&lt;/script&gt;',
  '\u2028</script><script>canary()',
]

/** Elements and attributes as a browser would find them: nothing of what was sent may have become one. */
function assertInert({ text, path, headers }: Pick<SeenAnswer, 'text' | 'path' | 'headers'>): void {
  const tags = text.match(/<[a-z/!][^>]*>/gi) ?? []
  const hostile = tags.filter((tag) =>
    /canary|evil\.test|^<(?:base|img src=x|svg onload|meta http-equiv)/i.test(withoutValues(tag)),
  )
  assert.deepEqual(hostile, [], path)
  assert.ok(!tags.some((tag) => /\son\w+\s*=/i.test(withoutValues(tag))), path)
  assert.ok(!text.includes('process.env.') && !text.includes('PATH='), path)
  assert.equal([...text.matchAll(/<script\b/g)].length, 1, `${path}: one script, ours`)
  assert.match(String(headers['content-type']), /^text\/html; charset=utf-8$/)
}

/** A tag without what stands in quotes: text there does nothing, as long as it cannot leave them. */
function withoutValues(tag: string): string {
  return tag.replaceAll(/="[^"]*"/g, '=""')
}

describe('text from outside stays text', () => {
  it('in the address: path, query and notices', async () => {
    for (const payload of PAYLOADS) {
      const encoded = encodeURIComponent(payload)
      const paths = [
        `/${encoded}`,
        `/login?returnTo=/${encoded}`,
        `/login?notice=${encoded}`,
        `/?notice=${encoded}`,
        `/register?returnTo=${encoded}&email=${encoded}`,
        `/auth/nothing/${encoded}`,
        `/forgot-password?${encoded}=${encoded}`,
      ]
      for (const path of paths) assertInert(await app.browser().page(path))
    }
  })

  it('in the raw bytes of the path', async () => {
    const lines = [
      'GET /<script>canary()</script>"onload="canary() HTTP/1.1',
      `Host: ${new URL(app.url).host}`,
      'Accept: text/html',
    ]
    const { body, headers, status } = await sendRaw(app.url, lines)
    assert.equal(status, 404)
    assertInert({ text: body, path: 'raw', headers: Object.fromEntries(headers) })
  })

  it('in forms that are shown again', async () => {
    for (const payload of PAYLOADS) {
      const answers = [
        await app
          .browser()
          .form('/auth/login', { identity: payload, password: 'x', returnTo: `/${payload}`, [payload]: payload }),
        await app.browser().form('/auth/login', { identity: payload, password: payload, _csrf: payload }),
        await app.browser().form('/auth/register', {
          email: payload,
          password: payload,
          passwordConfirm: 'x',
          'profile.displayName': payload,
          'profile.bio': payload,
          [`profile.${payload}`]: payload,
        }),
        await app.browser().form('/auth/password-reset', { email: payload, [payload]: '' }),
      ]
      for (const answer of answers) {
        assert.ok(answer.status >= 400 && answer.status < 500, `${answer.path}: ${answer.status}`)
        assertInert(answer)
        assert.ok(!/type="password"[^>]*value="[^"]+"/.test(answer.text), 'a password is never shown again')
      }
    }
  })

  it('in a profile, an e-mail address and the name of a browser', async () => {
    for (const payload of PAYLOADS) {
      const agent = Buffer.from(`Mozilla/5.0 (X11; Linux) ${payload}/1.0`)
        .toString('latin1')
        .replaceAll(/[^\u0020-\u00ff]/g, '')
      const browser = app.browser({ 'User-Agent': agent })
      const email = newEmail()
      assert.equal(
        (await browser.register(email, PASSWORD, { displayName: payload.slice(0, 80), bio: payload })).status,
        201,
      )
      for (const path of ['/account', '/devices', '/', '/verify-email']) assertInert(await browser.page(path))
      assertInert(await browser.form('/auth/profile', { displayName: '', bio: payload }))
      assertInert(
        await browser.form('/auth/password', { currentPassword: payload, password: payload, passwordConfirm: 'x' }),
      )
    }
  })

  it('on the page of an administrator who looks for the attacker', async () => {
    const admin = await newPerson(app, 'admin')
    await pocketbase.admin.setRole(admin.email, 'admin')
    const attacker = await newPerson(app, 'attacker')
    for (const payload of PAYLOADS) {
      const encoded = encodeURIComponent(payload)
      assertInert(await admin.browser.page(`/admin?q=${encoded}&user=${encoded}`))
      assertInert(await admin.browser.page(`/admin?q=${encoded}&user=${attacker.userId}`))
    }
  })
})

describe('an answer for scripts', () => {
  it('is never a page, whatever it holds and whoever asks', async () => {
    const { browser } = await newPerson(app)
    await browser.json('/auth/profile', { bio: '<script>canary()</script>' }, { method: 'PATCH' })
    for (const path of ['/auth/status', '/auth/sessions', '/auth/csrf']) {
      for (const headers of [{ Accept: 'text/html' }, { Accept: '*/*' }, {}]) {
        const answer = await browser.send(path, { headers })
        assert.equal(answer.headers['content-type'], 'application/json', path)
        assert.equal(answer.headers['x-content-type-options'], 'nosniff')
      }
    }
  })

  it('does not become one by a suffix or a callback', async () => {
    const { browser } = await newPerson(app)
    for (const path of ['/auth/status.html', '/auth/status/x.html', '/auth/status;x.html', '/auth/sessions.js']) {
      assert.equal((await browser.get(path)).status, 404, path)
    }
    const { text } = await browser.get('/auth/status?callback=canary&jsonp=canary')
    assert.ok(text.startsWith('{') && !text.includes('canary('))
  })
})
