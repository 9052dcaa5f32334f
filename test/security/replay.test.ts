// The attacker kept a copy of a cookie and tries it after its session has ended: on pages, the API and the status.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import { startMailServer, tokenIn, type MailServer } from '../support/mail.ts'
import {
  anotherBrowser,
  NEW_PASSWORD,
  newPerson,
  PASSWORD,
  problem,
  sessionCookie,
  stateOf,
  type Person,
} from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { assertOpensNothing, browserWithCookie, speaksOfSession, stealCookies } from '../support/stolen-cookies.ts'

const HOUR = 3_600_000

let mail: MailServer
let pocketbase: TestPocketBase
let app: StartedApp

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url })
  app = await startApp({ pocketbase: pocketbase.url })
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
  await mail?.close()
})

const newPasswords = { password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }

async function sessionIds({ browser }: Person): Promise<readonly { id: string; current: boolean }[]> {
  const { sessions } = (await browser.get('/auth/sessions')).json() as { sessions: { id: string; current: boolean }[] }
  return sessions
}

async function resetByMail({ email }: Person): Promise<number> {
  await app.browser().json('/auth/password-reset', { email })
  const token = tokenIn(await mail.next(({ to, subject }) => to.includes(email) && subject.startsWith('Reset')))
  return (await app.browser().json('/auth/password-reset/confirm', { token, ...newPasswords })).status
}

describe('a stolen cookie opens nothing', () => {
  it('after the owner has signed out by a script', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    assert.equal((await browser.json('/auth/logout')).status, 204)
    await assertOpensNothing(app, thief, 'logout')
  })

  it('after the owner has signed out by a form', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    assert.equal((await browser.form('/auth/logout', {})).status, 303)
    assert.equal(sessionCookie(browser), undefined)
    await assertOpensNothing(app, thief, 'logout')
  })

  it('after the owner has ended it from another device', async () => {
    const person = await newPerson(app)
    const stolen = stealCookies(app, await anotherBrowser(app, person))
    const other = (await sessionIds(person)).find(({ current }) => !current)
    const answer = await person.browser.json(`/auth/sessions/${other?.id}`, undefined, { method: 'DELETE' })
    assert.equal(answer.status, 204)
    await assertOpensNothing(app, stolen, 'revoked')
  })

  it('after the owner has ended all other sessions', async () => {
    const person = await newPerson(app)
    const stolen = [await anotherBrowser(app, person), await anotherBrowser(app, person)]
    assert.deepEqual((await person.browser.json('/auth/sessions/revoke-others')).json(), { ended: 2 })
    for (const thief of stolen) await assertOpensNothing(app, thief, 'revoked')
    assert.equal(await stateOf(person.browser), 'signed in')
  })

  it('after the owner has signed out everywhere', async () => {
    const person = await newPerson(app)
    const stolen = [stealCookies(app, person.browser), await anotherBrowser(app, person)]
    assert.equal((await person.browser.json('/auth/logout-everywhere')).status, 200)
    for (const thief of stolen) await assertOpensNothing(app, thief, 'logout_everywhere')
  })

  it('after the owner has changed the password elsewhere', async () => {
    const person = await newPerson(app)
    const stolen = await anotherBrowser(app, person)
    const answer = await person.browser.json('/auth/password', { currentPassword: PASSWORD, ...newPasswords })
    assert.equal(answer.status, 204)
    await assertOpensNothing(app, stolen, 'password_changed')
    assert.equal(await stateOf(person.browser), 'signed in')
  })

  it('after the owner has reset the password by mail', async () => {
    const person = await newPerson(app)
    const stolen = stealCookies(app, person.browser)
    assert.equal(await resetByMail(person), 204)
    await assertOpensNothing(app, stolen, 'password_reset')
    await assertOpensNothing(app, person.browser, 'password_reset')
  })

  it('of an account that was made with the address of somebody else, once its owner has reset the password', async () => {
    const attacker = await newPerson(app, 'victim')
    assert.equal(await resetByMail(attacker), 204)
    await assertOpensNothing(app, attacker.browser, 'password_reset')
    assert.equal(problem(await app.browser().login(attacker.email, PASSWORD)), '401 invalid_credentials')
  })

  it('after an administrator has ended it', async () => {
    const admin = await newPerson(app, 'admin')
    const person = await newPerson(app)
    await pocketbase.admin.setRole(admin.email, 'admin')
    const thief = stealCookies(app, person.browser)
    const path = `/auth/admin/users/${person.userId}/sessions`
    assert.equal((await admin.browser.json(path, undefined, { method: 'DELETE' })).status, 200)
    await assertOpensNothing(app, thief, 'admin_revoked')
  })

  it('after it was pushed out by newer sign-ins', async () => {
    const person = await newPerson(app)
    const thief = stealCookies(app, person.browser)
    for (let count = 0; count < 10; count++) {
      app.clock.advance(1)
      await anotherBrowser(app, person)
    }
    await assertOpensNothing(app, thief, 'evicted')
  })

  it('after two hours without use, and polling its status keeps it no longer', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    for (let quarter = 0; quarter < 8; quarter++) {
      assert.equal(await stateOf(thief), 'signed in')
      app.clock.advance(HOUR / 4)
    }
    await assertOpensNothing(app, thief, 'idle_timeout')
  })

  it('after a day, however busy the thief was', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    for (let hour = 0; hour < 24; hour++) {
      assert.equal((await thief.get('/account')).status, 200)
      app.clock.advance(HOUR)
    }
    await assertOpensNothing(app, thief, 'absolute_timeout')
  })
})

describe('a dead cookie', () => {
  it('stays dead when its session is signed out a second time, and its answers leave the cookie of today alone', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    await browser.json('/auth/logout')
    const again = await thief.json('/auth/logout')
    assert.deepEqual([again.status, speaksOfSession(app, again)], [204, false])
    await assertOpensNothing(app, thief, 'logout')
  })

  it('cannot sign in by itself: the password is asked for, and the new session has another id', async () => {
    const { browser, email } = await newPerson(app)
    const thief = stealCookies(app, browser)
    await browser.json('/auth/logout')
    assert.equal(problem(await thief.login(email, 'guessed wrong')), '401 invalid_credentials')
    const dead = sessionCookie(thief)
    assert.equal((await thief.login(email, PASSWORD)).status, 200)
    assert.notEqual(sessionCookie(thief), dead)
    await assertOpensNothing(app, browserWithCookie(app, dead ?? ''), 'logout')
  })

  it('that is sent in parallel with the sign-out is refused from the answer on', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    await thief.csrfToken()
    const running = Array.from({ length: 20 }, () => thief.json('/auth/profile', { bio: 'late' }, { method: 'PATCH' }))
    assert.equal((await browser.json('/auth/logout')).status, 204)
    await assertOpensNothing(app, thief, 'logout')
    for (const answer of await Promise.all(running)) assert.equal(speaksOfSession(app, answer), false)
    await assertOpensNothing(app, thief, 'logout')
  })
})

describe('sessions of others', () => {
  it('cannot be ended or probed by their handle: one answer to those of others and to none at all', async () => {
    const victim = await newPerson(app)
    const attacker = await newPerson(app)
    const handle = (await sessionIds(victim))[0]?.id ?? ''
    const answers = [
      await attacker.browser.json(`/auth/sessions/${handle}`, undefined, { method: 'DELETE' }),
      await attacker.browser.json(`/auth/sessions/${'x'.repeat(22)}`, undefined, { method: 'DELETE' }),
    ]
    for (const answer of answers) assert.deepEqual([answer.status, answer.text], [404, answers[0]?.text])
    assert.equal((await attacker.browser.form(`/auth/sessions/${handle}/revoke`, {})).status, 404)
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('are listed without anything that could be sent as a cookie', async () => {
    const person = await newPerson(app)
    const thief = await anotherBrowser(app, person)
    for (const { id } of await sessionIds(person)) await assertOpensNothing(app, browserWithCookie(app, id), null)
    assert.equal(await stateOf(thief), 'signed in')
  })

  it('are not ended by a thief whose sign-in is old', async () => {
    const person = await newPerson(app)
    const thief = stealCookies(app, await anotherBrowser(app, person))
    const own = (await sessionIds(person)).find(({ current }) => current)
    app.clock.advance(11 * 60_000)
    const answers = [
      await thief.json('/auth/sessions/revoke-others'),
      await thief.json(`/auth/sessions/${own?.id}`, undefined, { method: 'DELETE' }),
    ]
    for (const answer of answers) assert.equal(problem(answer), '403 reauth_required')
    assert.equal(await stateOf(person.browser), 'signed in')
  })
})
