// HTTPS: TLS that ends in our listener, and TLS that ends at a proxy in front.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as tlsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { after, before, describe, it } from 'node:test'
import { once } from 'node:events'
import { startApp, type StartedApp } from '../support/app.ts'
import { BrowserClient } from '../support/browser-client.ts'
import { send } from '../support/http-client.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { startServerProcess, type ServerProcess } from '../support/server-process.ts'
import { TEST_CERTIFICATE, TEST_KEY } from '../support/test-certificate.ts'
import type { IncomingMessage } from 'node:http'

const PASSWORD = 'correct horse 1'
let pocketbase: TestPocketBase

before(async () => {
  pocketbase = await startPocketBase()
})
after(() => pocketbase.stop())

describe('TLS that ends here', () => {
  const cwd = mkdtempSync(join(tmpdir(), 'tls-'))
  let server: ServerProcess

  before(async () => {
    writeFileSync(join(cwd, 'cert.pem'), TEST_CERTIFICATE)
    writeFileSync(join(cwd, 'key.pem'), TEST_KEY, { mode: 0o600 })
    server = await startServerProcess({
      cwd,
      env: { POCKETBASE_URL: pocketbase.url, TLS_CERT: 'cert.pem', TLS_KEY: 'key.pem' },
    })
  })
  after(async () => {
    await server.stop()
    rmSync(cwd, { recursive: true, force: true })
  })

  it('gives the address as https', () => {
    assert.match(server.url, /^https:\/\/localhost:\d+$/)
  })

  it('sends a cookie that is bound to the host and goes over TLS only', async () => {
    const csrf = await ask('/auth/csrf')
    const [pre = ''] = csrf.cookies
    assert.match(pre, /^__Host-Http-pre=[^;]+;.*HttpOnly; Secure; SameSite=Lax$/)
    const token = String((JSON.parse(csrf.text) as Record<string, unknown>)['csrfToken'])
    const body = {
      email: 'tls@example.com',
      password: PASSWORD,
      passwordConfirm: PASSWORD,
      profile: { displayName: 'T' },
    }
    const registered = await ask('/auth/register', { cookie: pre.split(';')[0], token, body })
    assert.equal(registered.status, 201, registered.text)
    const session = registered.cookies.find((line) => line.startsWith('__Host-Http-session='))
    assert.match(session ?? '', /^__Host-Http-session=s%3A[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    assert.match(String(registered.headers['strict-transport-security']), /max-age=\d{8}/)
    const account = await ask('/account', { cookie: session?.split(';')[0] })
    assert.equal(account.status, 200)
  })

  it('survives plain http on its port: that connection ends, the next one works', async () => {
    await assert.rejects(send(server.url.replace('https', 'http'), '/'))
    assert.equal((await ask('/health/live')).status, 200)
  })

  it('speaks TLS 1.2 and newer only', async () => {
    const { port } = new URL(server.url)
    const old = connect({
      port: Number(port),
      host: 'localhost',
      ca: TEST_CERTIFICATE,
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    await assert.rejects(once(old, 'secureConnect'), /protocol version|unsupported protocol|alert/i)
  })

  interface Ask {
    readonly cookie?: string | undefined
    readonly token?: string
    readonly body?: object
  }

  function ask(path: string, { cookie, token, body }: Ask = {}) {
    const headers = {
      Accept: 'application/json',
      Origin: server.url,
      ...(cookie === undefined ? {} : { Cookie: cookie }),
      ...(token === undefined ? {} : { 'X-CSRF-Token': token, 'Content-Type': 'application/json' }),
    }
    const options = { ca: TEST_CERTIFICATE, method: body === undefined ? 'GET' : 'POST', headers, agent: false }
    return new Promise<{ status: number; cookies: string[]; headers: IncomingMessage['headers']; text: string }>(
      (resolve, reject) => {
        const req = tlsRequest(new URL(path, server.url), options, (res) => {
          let text = ''
          res.setEncoding('utf8').on('data', (part: string) => (text += part))
          res.on('end', () => {
            const { headers: answered, statusCode: status = 0 } = res
            resolve({ status, cookies: answered['set-cookie'] ?? [], headers: answered, text })
          })
        })
        req.on('error', reject)
        req.end(body === undefined ? undefined : JSON.stringify(body))
      },
    )
  }
})

describe('TLS that ends at a proxy in front', () => {
  const origin = 'https://app.example.test'
  let app: StartedApp

  before(async () => {
    app = await startApp({ pocketbase: pocketbase.url, origin, trustProxy: 1 })
  })
  after(() => app.close())

  it('is believed where it is declared', async () => {
    const browser = new BrowserClient(app.url, { origin, headers: proxied('203.0.113.9') })
    const registered = await browser.register('proxy@example.com', PASSWORD)
    assert.equal(registered.status, 201, registered.text)
    assert.match(browser.cookies.get('__Host-Http-session')?.line ?? '', /Secure/)
    assert.equal((await browser.get('/account')).status, 200)
    const [created] = app.events.filter(({ name }) => name === 'user_created')
    assert.equal(created?.event['ip'], '203.0.113.9')
  })

  it('is asked for: plain http through the proxy is refused, a page is sent to https, and no cookie goes out', async () => {
    const browser = new BrowserClient(app.url, {
      origin,
      headers: { 'X-Forwarded-Proto': 'http', Host: 'app.example.test' },
    })
    const api = await browser.get('/auth/csrf')
    assert.deepEqual([api.status, api.json()['code']], [400, 'insecure_transport'])
    const page = await browser.page('/login?x=1')
    assert.deepEqual([page.status, page.headers.location], [308, `${origin}/login?x=1`])
    assert.deepEqual([...api.cookies, ...page.cookies], [])
  })

  it('is not believed from a client that nobody declared', async (t) => {
    const direct = await startApp({ pocketbase: pocketbase.url, origin })
    t.after(() => direct.close())
    const browser = new BrowserClient(direct.url, { origin, headers: proxied('203.0.113.9') })
    const api = await browser.get('/auth/csrf')
    assert.deepEqual([api.status, api.json()['code']], [400, 'insecure_transport'])
  })

  function proxied(address: string): Readonly<Record<string, string>> {
    return { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': `198.51.100.1, ${address}`, Host: 'app.example.test' }
  }
})
