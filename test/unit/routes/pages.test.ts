// Addresses of pages: who gets what, as a page and as JSON, and what stands in the headers.

import assert from 'node:assert/strict'
import test from 'node:test'
import { PocketBaseUnavailableError, StoreUnavailableError } from '../../../server/errors.ts'
import { PAGES } from '../../../server/routes/pages.ts'
import { ENDED_BECAUSE, NOTICES } from '../../../server/views/notices.ts'
import { ADA, startPages, visit } from './page-app.ts'

const json = { headers: { accept: 'application/json' } }

test('every page of a guest is never stored, says its title and sets the cookie that its form is bound to', async (t) => {
  const { url } = await startPages(t)
  for (const name of ['login', 'register', 'forgot-password', 'reset-password', 'verify-email'] as const) {
    const response = await visit(url + PAGES[name].path)
    assert.equal(response.status, 200, name)
    assert.equal(response.header('cache-control'), 'no-store')
    assert.equal(response.header('content-type'), 'text/html; charset=utf-8')
    assert.equal(response.header('etag'), null)
    assert.match(response.header('set-cookie') ?? '', /-pre=/, name)
    assert.match(response.text, /<title>[A-Z][^<]+ · localhost:3000<\/title>/)
  }
})

test('the home page is served where it is asked for, and sets no cookie', async (t) => {
  const without = await startPages(t)
  assert.equal((await visit(`${without.url}/`)).status, 404)
  const { url } = await startPages(t, { pages: { home: true } })
  const response = await visit(`${url}/`)
  assert.equal(response.status, 200)
  assert.equal(response.header('set-cookie'), null)
})

test('stylesheet, script and icon may be kept for good, and the page loads them with its nonce', async (t) => {
  const { url } = await startPages(t)
  const page = await visit(`${url}/login`)
  const html = page.text
  const nonce = /'nonce-([^']+)'/.exec(page.header('content-security-policy') ?? '')?.[1] ?? 'none'
  for (const [tag] of html.matchAll(/<link rel="stylesheet"[^>]*>|<script[^>]*>/g))
    assert.ok(tag.includes(`nonce="${nonce}"`))
  const assets = Array.from(html.matchAll(/(?:href|src)="(\/assets\/[^"]+)"/g), ([, path = '']) => path)
  assert.equal(new Set(assets).size, 3)
  for (const path of assets) {
    const response = await visit(url + path)
    assert.equal(response.status, 200)
    assert.match(response.header('cache-control') ?? '', /max-age=31536000, immutable/)
  }
})

test('whoever is not signed in is sent to the login page and back, an API caller gets 401', async (t) => {
  const { url } = await startPages(t)
  for (const path of ['/account', '/devices', '/admin?user=x']) {
    const response = await visit(url + path)
    assert.equal(response.status, 303)
    assert.equal(response.header('location'), `/login?returnTo=${encodeURIComponent(path)}`)
    assert.equal(response.header('cache-control'), 'no-store')
    const problem = await visit(url + path, json)
    assert.equal(problem.status, 401)
    assert.match(problem.header('content-type') ?? '', /application\/problem\+json/)
  }
})

test('whoever is signed in is sent on from the pages for guests', async (t) => {
  const { url } = await startPages(t, { user: ADA })
  for (const path of ['/login', '/register']) {
    const response = await visit(url + path)
    assert.deepEqual([response.status, response.header('location')], [303, '/account'])
  }
})

test('an API caller gets the data of a page, and no page', async (t) => {
  const getProfile = () => Promise.resolve({ kind: 'ok', value: { displayName: 'Ada', user: 'hidden' } } as const)
  const { url, live } = await startPages(t, { user: ADA, pocketbase: { getProfile } })
  const account = await visit(`${url}/account`, json)
  assert.equal(account.header('cache-control'), 'no-store')
  assert.deepEqual(JSON.parse(account.text), { user: ADA, profile: { displayName: 'Ada', bio: null } })
  const { sessions, fresh } = JSON.parse((await visit(`${url}/devices`, json)).text) as {
    sessions: object[]
    fresh: boolean
  }
  assert.equal(fresh, true)
  assert.equal(sessions.length, 1)
  assert.partialDeepStrictEqual(sessions[0], { id: live?.record.handle, current: true, device: 'Firefox on Linux' })
})

test('the login page tells why the last session ended, by its cookie and not by the address', async (t) => {
  const ended = { reason: 'idle_timeout', endedAt: 1 } as const
  const { url } = await startPages(t, { session: { state: 'ended', ended } })
  assert.match((await visit(`${url}/login`)).text, new RegExp(ENDED_BECAUSE.idle_timeout))
  assert.partialDeepStrictEqual(JSON.parse((await visit(`${url}/login`, json)).text), { reason: 'idle_timeout' })
  const other = await startPages(t)
  const html = (await visit(`${other.url}/login?reason=idle_timeout`)).text
  assert.doesNotMatch(html, /You were signed out/)
})

test('a notice is shown by its key, and other words never', async (t) => {
  const { url } = await startPages(t)
  assert.match((await visit(`${url}/login?notice=signed_out`)).text, new RegExp(NOTICES.signed_out))
  const html = (await visit(`${url}/login?notice=Call+0900`)).text
  assert.doesNotMatch(html, /0900|role="status"/)
})

test('the login form carries the way back, where it stays on this site', async (t) => {
  const { url } = await startPages(t)
  const returnTo = async (value: string): Promise<string | undefined> => {
    const html = (await visit(`${url}/login?returnTo=${encodeURIComponent(value)}`)).text
    return /name="returnTo" value="([^"]*)"/.exec(html)?.[1]
  }
  assert.equal(await returnTo('/reports?year=2026'), '/reports?year=2026')
  for (const value of ['https://evil.test/', '//evil.test', '/\\evil.test', '/login', 'javascript:alert(1)']) {
    assert.equal(await returnTo(value), '', value)
  }
})

test('with closed registration there is no such page and no way to it', async (t) => {
  const { url } = await startPages(t, { config: { registration: 'closed' } })
  assert.equal((await visit(`${url}/register`)).status, 404)
  assert.doesNotMatch((await visit(`${url}/login`)).text, /\/register/)
})

test('a page that needs PocketBase says 503 while it is away, never "signed out"', async (t) => {
  const getProfile = () => Promise.reject(new PocketBaseUnavailableError(new Error('away')))
  const { url } = await startPages(t, { user: ADA, pocketbase: { getProfile } })
  const response = await visit(`${url}/account`)
  assert.equal(response.status, 503)
  assert.equal(response.header('retry-after'), '5')
  assert.match(response.text, /href="\/account">Try again/)
})

test('while the store cannot be asked, pages that look at the session say 503 and others are served', async (t) => {
  const error = new StoreUnavailableError(new Error('away'))
  const { url } = await startPages(t, { session: { state: 'unknown', cookieState: 'valid', cookieId: 'id', error } })
  for (const path of ['/login', '/account', '/devices', '/admin']) assert.equal((await visit(url + path)).status, 503)
  assert.equal((await visit(`${url}/forgot-password`)).status, 200)
})

test('an address that is not there gets a page or a problem', async (t) => {
  const { url } = await startPages(t)
  const page = await visit(`${url}/<b>nothing?q=1`)
  assert.equal(page.status, 404)
  const html = page.text
  assert.match(html, /There is nothing here/)
  assert.doesNotMatch(html, /role="alert"|<b>/)
  assert.equal((await visit(`${url}/nothing`, json)).status, 404)
})

test('HEAD answers like GET, without the body', async (t) => {
  const { url } = await startPages(t)
  const response = await visit(`${url}/login`, { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(response.text, '')
})
