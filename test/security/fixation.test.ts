// The attacker knows a session id and gets the victim to sign in under it.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import { createApp } from '../../server/app.ts'
import { cookieValue } from '../../server/sessions/cookie.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
import { createSessionId } from '../../server/sessions/session-id.ts'
import { startApp, TEST_SECRET, type StartedApp } from '../support/app.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { NEW_PASSWORD, newEmail, newPerson, PASSWORD, sessionCookie, stateOf } from '../support/people.ts'
import { assertOpensNothing, browserWithCookie, speaksOfSession, stealCookies } from '../support/stolen-cookies.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'

let app: StartedApp

before(async () => {
  app = await startApp({ build: withCart, keepAtLogin: ['cart'] })
})

after(() => app?.close())

/** The complete app behind a shop that keeps something for visitors who have not signed in. */
function withCart(auth: Auth, services: OwnedServices): express.Express {
  const shop = express()
  shop.use(auth.session())
  shop.get('/cart', (req, res) => {
    Object.assign(req.session, { cart: ['book'], discount: 'planted by the attacker' })
    res.json({})
  })
  shop.get('/cart/seen', (req, res) => void res.json({ ...req.session, cookie: undefined }))
  shop.use(createApp(services))
  return shop
}

const encoded = (value: string): string => encodeURIComponent(value)

describe('an id that the attacker has made up', () => {
  const id = createSessionId()
  const planted = {
    bare: id,
    'with a signature of nonsense': `s%3A${id}.${'A'.repeat(43)}`,
    'signed with a secret of the attacker': cookieValue(
      new Secrets(['a secret of the attacker, long enough to pass']),
      id,
    ),
    'well signed, but never given out': cookieValue(new Secrets([TEST_SECRET]), id),
  }
  for (const [how, value] of Object.entries(planted)) {
    it(`is not taken at sign-in: ${how}`, async () => {
      const { email } = await newPerson(app)
      const victim = browserWithCookie(app, value)
      assert.equal((await victim.login(email, PASSWORD)).status, 200)
      assert.notEqual(sessionCookie(victim), value)
      assert.equal(await app.services.sessions.find(id), undefined)
      await assertOpensNothing(app, browserWithCookie(app, value), null)
    })

    it(`is not taken at registration: ${how}`, async () => {
      const victim = browserWithCookie(app, value)
      assert.equal((await victim.register(newEmail(), PASSWORD)).status, 201)
      assert.notEqual(sessionCookie(victim), value)
      await assertOpensNothing(app, browserWithCookie(app, value), null)
    })
  }

  it('is not taken when something is kept for a visitor', async () => {
    const value = cookieValue(new Secrets([TEST_SECRET]), id)
    const visitor = browserWithCookie(app, value)
    await visitor.get('/cart')
    assert.notEqual(sessionCookie(visitor), value)
    assert.equal(await app.services.sessions.find(id), undefined)
  })

  it('is read from the cookie alone, not from the address, a header or the body', async () => {
    const { browser, email } = await newPerson(app)
    const { name } = app.services.config.cookie
    const stolen = sessionCookie(browser) ?? ''
    const thief = app.browser()
    for (const path of [
      `/account?${name}=${stolen}`,
      `/account;${name}=${stolen}`,
      `/account?sid=${encoded(stolen)}`,
    ]) {
      assert.notEqual((await thief.get(path)).status, 200)
    }
    const headers = {
      Authorization: `Bearer ${stolen}`,
      'X-Session-Id': stolen,
      [name]: stolen,
      'Set-Cookie': `${name}=${stolen}`,
    }
    assert.equal((await thief.get('/account', headers)).status, 401)
    const body = { identity: email, password: PASSWORD, sessionID: stolen }
    assert.equal((await thief.json('/auth/login', body)).status, 422)
  })
})

describe('a real session from before the sign-in', () => {
  it('is dead after it, everywhere, and gives the new one only what the app has named', async () => {
    const attacker = app.browser()
    await attacker.get('/cart')
    const { email } = await newPerson(app)
    const victim = stealCookies(app, attacker)
    assert.equal((await victim.login(email, PASSWORD)).status, 200)
    assert.notEqual(sessionCookie(victim), sessionCookie(attacker))
    assert.deepEqual((await victim.get('/cart/seen')).json(), { cart: ['book'] })
    await assertOpensNothing(app, attacker, 'rotated')
    const late = await attacker.get('/cart')
    assert.deepEqual([late.status, speaksOfSession(app, late)], [401, false])
    assert.equal(await stateOf(victim), 'signed in')
  })

  it('of the attacker itself does not become the session of the victim', async () => {
    const attacker = await newPerson(app)
    const victim = stealCookies(app, attacker.browser)
    const { email, userId } = await newPerson(app)
    await victim.login(email, PASSWORD)
    const { user } = (await victim.get('/auth/status')).json() as { user: { id: string } }
    assert.equal(user.id, userId)
    await assertOpensNothing(app, attacker.browser, 'rotated')
  })

  it('leaves no CSRF token of the attacker behind that would count after the sign-in', async () => {
    const attacker = app.browser()
    const token = await attacker.csrfToken()
    const victim = stealCookies(app, attacker)
    const { email } = await newPerson(app)
    await victim.login(email, PASSWORD)
    for (const [name, cookie] of attacker.cookies) victim.cookies.set(name, cookie)
    const answer = await victim.json('/auth/logout', undefined, { headers: { 'X-CSRF-Token': token } })
    assert.deepEqual([answer.status, answer.json()['code']], [403, 'csrf_failed'])
    assert.equal(await stateOf(victim), 'signed in')
  })
})

describe('the id changes, and the old one is dead,', () => {
  const steps: Readonly<
    Record<string, (browser: BrowserClient, email: string) => Promise<{ readonly status: number }>>
  > = {
    'when somebody signs in again': (browser, email) => browser.login(email, PASSWORD),
    'when somebody else signs in': async (browser) => browser.login((await newPerson(app)).email, PASSWORD),
    'when somebody registers': (browser) => browser.register(newEmail(), PASSWORD),
    'when the password is asked for again': (browser) => browser.json('/auth/reauthenticate', { password: PASSWORD }),
    'when the password changes': (browser) =>
      browser.json('/auth/password', {
        currentPassword: PASSWORD,
        password: NEW_PASSWORD,
        passwordConfirm: NEW_PASSWORD,
      }),
  }
  for (const [when, step] of Object.entries(steps)) {
    it(when, async () => {
      const { browser, email } = await newPerson(app)
      const thief = stealCookies(app, browser)
      const answer = await step(browser, email)
      assert.ok(answer.status < 300, String(answer.status))
      assert.notEqual(sessionCookie(browser), sessionCookie(thief))
      await assertOpensNothing(app, thief, 'rotated')
      assert.equal(await stateOf(browser), 'signed in')
    })
  }
})
