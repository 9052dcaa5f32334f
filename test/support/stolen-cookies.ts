// What a thief does with a cookie: tries it on pages, on the API, on everything that changes something, and asks for its status.

import assert from 'node:assert/strict'
import type { StartedApp } from './app.ts'
import type { BrowserClient, SeenAnswer } from './browser-client.ts'

/** Another browser with copies of the cookies that this one holds now. */
export function stealCookies(app: StartedApp, victim: BrowserClient): BrowserClient {
  const thief = app.browser()
  for (const [name, cookie] of victim.cookies) thief.cookies.set(name, cookie)
  return thief
}

/** A browser that sends this value as the session cookie. */
export function browserWithCookie(app: StartedApp, value: string): BrowserClient {
  const browser = app.browser()
  const { name } = app.services.config.cookie
  browser.cookies.set(name, { value, path: '/', line: '' })
  return browser
}

/** Whether an answer says anything about the session cookie. */
export function speaksOfSession(app: StartedApp, answer: SeenAnswer): boolean {
  return answer.cookies.some((line) => line.startsWith(`${app.services.config.cookie.name}=`))
}

/**
 * The cookies of this browser open nothing. `reason`: why, as the status tells it; `null` where they never were a session.
 * No answer may set or clear the session cookie: the owner's browser may hold a newer one under the same name.
 */
export async function assertOpensNothing(
  app: StartedApp,
  browser: BrowserClient,
  reason: string | null,
): Promise<void> {
  const code = reason === null ? 'unauthenticated' : 'session_expired'
  const page = await browser.page('/account')
  assert.deepEqual([page.status, page.headers.location], [303, '/login?returnTo=%2Faccount'])
  const answers = [
    await browser.get('/account'),
    await browser.get('/auth/sessions'),
    await browser.get('/admin'),
    await browser.get('/auth/admin/users?q=a'),
    await browser.json('/auth/profile', { bio: 'mine now' }, { method: 'PATCH' }),
    await browser.json('/auth/password', { currentPassword: 'x', password: 'x2345678', passwordConfirm: 'x2345678' }),
    await browser.json('/auth/reauthenticate', { password: 'x' }),
    await browser.json('/auth/sessions/revoke-others'),
    await browser.json('/auth/logout-everywhere'),
  ]
  for (const answer of answers) {
    const { status, code: found, reason: why } = answer.json()
    assert.deepEqual([status, found, why ?? null], [401, code, reason], answer.path)
  }
  const status = await browser.get('/auth/status')
  const { csrfToken: _, ...rest } = status.json()
  assert.deepEqual(rest, { authenticated: false, reason })
  for (const answer of [page, ...answers, status]) assert.equal(speaksOfSession(app, answer), false, answer.path)
}
