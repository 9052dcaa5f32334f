// The examples, as a reader starts them.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BrowserClient } from '../support/browser-client.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { startProgram } from '../support/server-process.ts'
import type { AddressInfo } from 'node:net'

const PASSWORD = 'correct horse 1'
let pocketbase: TestPocketBase

before(async () => {
  pocketbase = await startPocketBase()
})
after(() => pocketbase.stop())

describe('examples/minimal.ts', () => {
  it('leads a visitor to the login page and back', async (t) => {
    const browser = await startExample(t, 'minimal')
    const away = await browser.page('/')
    assert.deepEqual([away.status, away.headers.location], [303, '/login?returnTo=%2F'])
    const form = await browser.page('/login?returnTo=%2F')
    assert.equal(form.status, 200)
    assert.match(form.text, /name="password"/)
    await new BrowserClient(browser.url).register('minimal@example.com', PASSWORD)
    const signedIn = await browser.form('/auth/login', {
      identity: 'minimal@example.com',
      password: PASSWORD,
      returnTo: '/',
    })
    assert.deepEqual([signedIn.status, signedIn.headers.location], [303, '/'])
    assert.equal((await browser.page('/')).text, 'Hello minimal@example.com, visit 1')
    assert.equal((await browser.page('/')).text, 'Hello minimal@example.com, visit 2')
  })
})

describe('examples/roles.ts', () => {
  it('lets editors in, from the moment they are', async (t) => {
    const browser = await startExample(t, 'roles')
    assert.equal((await browser.get('/editors/drafts')).status, 401)
    await browser.register('roles@example.com', PASSWORD)
    assert.equal((await browser.get('/editors/drafts')).status, 403)
    await pocketbase.admin.setRole('roles@example.com', 'editor')
    assert.deepEqual((await browser.get('/editors/drafts')).json(), { drafts: [], for: 'roles@example.com' })
    assert.deepEqual((await browser.get('/news')).json(), { news: [], canWrite: true })
  })
})

describe('examples/own-login.ts', () => {
  it('signs in and out by handlers of its own', async (t) => {
    const browser = await startExample(t, 'own-login')
    await pocketbase.admin.client().then((client) => {
      const user = { email: 'own@example.com', password: PASSWORD, passwordConfirm: PASSWORD }
      return client.collection('users').create({ ...user, profile: { displayName: 'Own' } })
    })
    const away = await browser.page('/')
    assert.deepEqual([away.status, away.headers.location], [303, '/enter?returnTo=%2F'])
    const form = await browser.page('/enter')
    const wrong = await post(browser, '/enter', {
      email: 'own@example.com',
      password: 'wrong',
      _csrf: tokenIn(form.text),
    })
    assert.equal(wrong.status, 401)
    const user = { email: 'own@example.com', password: PASSWORD }
    const forged = await post(browser, '/enter', user)
    assert.deepEqual([forged.status, forged.json()['code']], [403, 'csrf_failed'])
    const entered = await post(browser, '/enter', { ...user, _csrf: tokenIn(form.text) })
    assert.deepEqual([entered.status, entered.headers.location], [303, '/'])
    const [cookie = ''] = entered.cookies
    assert.match(cookie, /Max-Age=(?:2592000|25919\d\d);/)
    const inside = await browser.page('/')
    assert.match(inside.text, /^You are in\. /)
    const left = await post(browser, '/leave', { _csrf: tokenIn(inside.text) })
    assert.deepEqual([left.status, left.headers.location], [303, '/enter'])
    assert.equal((await browser.get('/')).status, 401)
  })
})

describe('each example', () => {
  it('has fewer than 40 lines', () => {
    for (const name of ['minimal', 'roles', 'own-login']) {
      assert.ok(readFileSync(pathOf(name), 'utf8').split('\n').length < 40, name)
    }
  })
})

/** The hidden field of the form on a page. */
function tokenIn(html: string): string {
  return /name="_csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
}

/** A form of the app itself, by a browser that says where it comes from. */
function post(browser: BrowserClient, path: string, fields: Readonly<Record<string, string>>) {
  const headers = { Origin: browser.origin, 'Content-Type': 'application/x-www-form-urlencoded' }
  return browser.send(path, { method: 'POST', headers, body: new URLSearchParams(fields).toString() })
}

async function startExample(t: TestContext, name: string): Promise<BrowserClient> {
  const cwd = mkdtempSync(join(tmpdir(), 'example-'))
  const env = { POCKETBASE_URL: pocketbase.url, PORT: String(await freePort()) }
  const program = await startProgram([pathOf(name)], { cwd, env }, /^(http:\S+)$/m)
  t.after(async () => {
    await program.stop()
    rmSync(cwd, { recursive: true, force: true })
  })
  return new BrowserClient(program.url)
}

/** An example knows its origin before it listens, so it cannot take port 0. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
}
