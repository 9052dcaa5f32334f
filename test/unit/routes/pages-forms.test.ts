// Pages with forms: shown again after a failure, filled from what is stored, and led to by mail.

import assert from 'node:assert/strict'
import test from 'node:test'
import { ADA, startPages, visit } from './page-app.ts'

const ADMIN = { ...ADA, role: 'admin' }

test('a form that failed says what is wrong at its field and keeps what was typed, but no password', async (t) => {
  const errors = { email: 'There is an account already.', 'profile.bio': 'Too long.', other: 'Something else.' }
  const values = { email: 'ada@example.com', 'profile.bio': 'My <life>', password: 'secret-word', returnTo: '/reports' }
  const { url } = await startPages(t, { failing: { page: 'register', extras: { status: 422, errors, values } } })
  const response = await visit(`${url}/fail`, { method: 'POST' })
  assert.equal(response.status, 422)
  const html = response.text
  assert.match(html, /<title>Error: Create an account/)
  assert.match(html, /<a href="#register-email">E-mail: There is an account already\.<\/a>/)
  assert.match(html, /<a href="#register-profile-bio">About you: Too long\.<\/a>/)
  assert.match(html, /<li>Something else\.<\/li>/)
  assert.match(
    html,
    /id="register-email"[^>]*value="ada@example.com"[^>]*aria-invalid="true" aria-describedby="register-email-error"/,
  )
  assert.match(html, /My &lt;life&gt;<\/textarea>/)
  assert.match(html, /name="returnTo" value="\/reports"/)
  assert.doesNotMatch(html, /secret-word/)
})

test('the account page shows the stored profile, and errors of one form only there', async (t) => {
  const getProfile = () => Promise.resolve({ kind: 'ok', value: { displayName: 'Ada', bio: null } } as const)
  const extras = { status: 422, errors: { currentPassword: 'This is wrong.' } }
  const { url } = await startPages(t, { user: ADA, pocketbase: { getProfile }, failing: { page: 'account', extras } })
  const html = (await visit(`${url}/fail`, { method: 'POST' })).text
  assert.match(html, /id="profile-displayName"[^>]*value="Ada"/)
  assert.match(html, /id="account-currentPassword-error"[^>]*>.*This is wrong\./)
  assert.equal(html.match(/aria-invalid/g)?.length, 1)
})

test('without a profile there is no form for one', async (t) => {
  const { url } = await startPages(t, { user: ADA, config: { profile: false } })
  assert.doesNotMatch((await visit(`${url}/account`)).text, /action="\/auth\/profile"/)
})

test('a session that PocketBase ends while the page is loaded leads to the login page and back', async (t) => {
  const { url, services } = await startPages(t, { user: ADA })
  services.identity.revalidate = () => Promise.resolve('ended')
  const response = await visit(`${url}/account`)
  assert.deepEqual([response.status, response.header('location')], [303, '/login?returnTo=%2Faccount'])
})

test('ending other sessions is offered to whoever has just signed in; later the password is asked for', async (t) => {
  const { url, services, clock } = await startPages(t, { user: ADA })
  const { id } = ADA
  const signedIn = {
    user: ADA,
    token: 'other',
    tokenExpiresAt: clock.now() + 86_400_000,
    amr: ['pwd'],
    collection: 'users',
  }
  const other = await services.sessions.create({
    data: {},
    signedIn,
    remembered: false,
    device: 'Safari on iOS',
    ip: '',
  })
  const form = `action="/auth/sessions/${other.record.handle}/revoke"`
  const fresh = (await visit(`${url}/devices`)).text
  assert.ok(fresh.includes(form))
  assert.equal(fresh.match(/\/revoke"/g)?.length, 1, 'this device has no button')
  clock.advance(services.config.session.freshForMs + 1)
  const later = (await visit(`${url}/devices`)).text
  assert.ok(!later.includes('/revoke'))
  assert.match(later, /action="\/auth\/reauthenticate"/)
  assert.match(later, /action="\/auth\/logout-everywhere"/)
  assert.equal((await services.sessions.listByUser(id)).length, 2)
})

test('an administrator finds users and sees the sessions of one; nobody else does', async (t) => {
  const findUsers = () => Promise.resolve({ kind: 'ok', value: [ADA] } as const)
  const getUser = ({ userId }: { userId: string }) =>
    Promise.resolve({ kind: 'ok', value: userId === ADA.id ? { ...ADA, tokenKey: 'hidden' } : null } as const)
  const { url, live } = await startPages(t, { user: ADMIN, pocketbase: { findUsers, getUser } })
  const found = (await visit(`${url}/admin?q=ada`)).text
  assert.match(found, new RegExp(`href="/admin\\?q=ada&amp;user=${ADA.id}">ada@example.com`))
  const answer = await visit(`${url}/admin?user=${ADA.id}`, { headers: { accept: 'application/json' } })
  const { selected } = JSON.parse(answer.text) as { selected: { sessions: { id: string }[] } }
  assert.equal(selected.sessions[0]?.id, live?.record.handle)
  assert.doesNotMatch(JSON.stringify(selected), /hidden/)
  assert.match((await visit(`${url}/admin?user=nobody`)).text, /There is no such user\./)
  const other = await startPages(t, { user: ADA, pocketbase: { findUsers, getUser } })
  assert.equal((await visit(`${other.url}/admin`)).status, 403)
})

test('an odd search is no error', async (t) => {
  const findUsers = () => Promise.resolve({ kind: 'ok', value: [ADA] } as const)
  const { url } = await startPages(t, { user: ADMIN, pocketbase: { findUsers } })
  for (const query of [`q=${'x'.repeat(199)}%F0%9F%98%80`, 'q=a&q=b', 'q[x]=1', 'q=%FF', 'user[]=1']) {
    assert.equal((await visit(`${url}/admin?${query}`)).status, 200, query)
  }
})

for (const path of ['/reset-password', '/verify-email']) {
  test(`${path} moves the token of a mail out of the address and uses nothing up`, async (t) => {
    const { url } = await startPages(t)
    const first = await visit(`${url}${path}?token=abc.def.ghi`)
    assert.deepEqual([first.status, first.header('location')], [303, path])
    assert.equal(first.header('referrer-policy'), 'no-referrer')
    assert.equal(first.header('cache-control'), 'no-store')
    const cookie = first.header('set-cookie') ?? ''
    assert.doesNotMatch(cookie, /abc\.def/)
    const page = await visit(url + path, { headers: { cookie: cookie.split(';')[0] ?? '' } })
    const html = page.text
    assert.match(html, /\/confirm"/)
    assert.doesNotMatch(html, /abc\.def/)
    // A form of a page with `no-referrer` is sent with `Origin: null` and would be refused.
    assert.equal(page.header('referrer-policy'), 'same-origin')
  })

  test(`${path} without a usable token offers the way to a new one`, async (t) => {
    const { url } = await startPages(t)
    for (const query of ['', '?token=', '?token=a&token=b', `?token=${'x'.repeat(5000)}`]) {
      const response = await visit(url + path + query)
      const page = response.status === 303 ? await visit(url + path) : response
      const html = page.text
      assert.match(html, /<h1>This link does not work any more<\/h1>/)
      assert.match(html, /href="\/(?:forgot-password|login\?returnTo=\/account)"/)
      assert.doesNotMatch(html, /\/confirm"/)
    }
  })
}

test('a link that turned out to be no good is not offered again', async (t) => {
  const extras = { status: 400, message: 'This link is not valid any more.' }
  const { url } = await startPages(t, { failing: { page: 'reset-password', extras } })
  const link = await visit(`${url}/reset-password?token=abc`)
  const cookie = link.header('set-cookie')?.split(';')[0] ?? ''
  const response = await visit(`${url}/fail`, { method: 'POST', headers: { cookie } })
  assert.equal(response.status, 400)
  assert.match(response.text, /<h1>This link does not work any more<\/h1>/)
})
