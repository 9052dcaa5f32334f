// An account changes in PocketBase: a role is taken away, the user is deleted or locked, its tokens end, PocketBase goes down.
// Whoever still holds a session keeps no right that the account has lost, and an outage is never a reason to sign anybody out.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import type { BrowserClient } from '../support/browser-client.ts'
import { anotherBrowser, newPerson, PASSWORD, problem, stateOf, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { assertOpensNothing, speaksOfSession, stealCookies } from '../support/stolen-cookies.ts'

const MINUTE = 60_000

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

async function newAdmin(): Promise<Person> {
  const person = await newPerson(app, 'admin')
  await pocketbase.admin.setRole(person.email, 'admin')
  return person
}

/** Everything that is for administrators. */
async function asAdmin(browser: BrowserClient, userId: string): Promise<readonly number[]> {
  const path = `/auth/admin/users/${userId}`
  const answers = [
    await browser.page('/admin'),
    await browser.get('/admin'),
    await browser.get('/auth/admin/users?q=a'),
    await browser.get(`${path}/sessions`),
    await browser.json(`${path}/sessions`, undefined, { method: 'DELETE' }),
    await browser.json(`${path}/sessions/${'x'.repeat(22)}`, undefined, { method: 'DELETE' }),
    await browser.form(`${path}/revoke-sessions`, {}),
    await browser.form(`${path}/sessions/${'x'.repeat(22)}/revoke`, {}),
  ]
  return answers.map(({ status }) => status)
}

describe('a role', () => {
  it('that somebody does not have opens nothing of the administrators', async () => {
    const [{ browser }, victim] = [await newPerson(app), await newPerson(app)]
    assert.deepEqual(await asAdmin(browser, victim.userId), Array(8).fill(403))
    await pocketbase.admin.setRole((await newPerson(app)).email, 'editor')
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('that was taken away opens nothing from the next request on, without a minute in between', async () => {
    const [admin, victim] = [await newAdmin(), await newPerson(app)]
    assert.equal((await admin.browser.get('/admin')).status, 200)
    await pocketbase.admin.setRole(admin.email, 'user')
    assert.deepEqual(await asAdmin(admin.browser, victim.userId), Array(8).fill(403))
    assert.equal(await stateOf(victim.browser), 'signed in')
    assert.equal(await stateOf(admin.browser), 'signed in')
  })

  it('that was taken away opens nothing in any other session either', async () => {
    const admin = await newAdmin()
    const other = await anotherBrowser(app, admin)
    assert.equal((await other.get('/admin')).status, 200)
    await pocketbase.admin.setRole(admin.email, 'editor')
    assert.equal(problem(await other.get('/admin')), '403 forbidden')
    assert.equal(problem(await admin.browser.get('/admin')), '403 forbidden')
  })

  it('that is asked for while PocketBase is down opens nothing: 503, and afterwards as before', async () => {
    const [admin, victim] = [await newAdmin(), await newPerson(app)]
    assert.equal((await admin.browser.get('/admin')).status, 200)
    await pocketbase.kill()
    assert.deepEqual(await asAdmin(admin.browser, victim.userId), Array(8).fill(503))
    await pocketbase.start()
    app.clock.advance(6000)
    assert.equal((await admin.browser.get('/admin')).status, 200)
    assert.equal(await stateOf(victim.browser), 'signed in')
  })
})

describe('an account', () => {
  it('that was deleted opens nothing after the next check, in none of its sessions', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    await pocketbase.admin.deleteUser(person.email)
    app.clock.advance(MINUTE)
    for (const browser of [person.browser, other]) {
      const thief = stealCookies(app, browser)
      assert.equal((await browser.get('/account')).status, 401)
      await assertOpensNothing(app, thief, 'token_rejected')
    }
    assert.equal(problem(await app.browser().login(person.email, PASSWORD)), '401 invalid_credentials')
  })

  it('that was deleted is no administrator from the next request on', async () => {
    const admin = await newAdmin()
    assert.equal((await admin.browser.get('/admin')).status, 200)
    const thief = stealCookies(app, admin.browser)
    await pocketbase.admin.deleteUser(admin.email)
    assert.equal((await admin.browser.get('/admin')).status, 401)
    await assertOpensNothing(app, thief, 'token_rejected')
  })

  it('that was deleted cannot change its profile or password in the minute before the check', async () => {
    const { browser, email } = await newPerson(app)
    const thief = stealCookies(app, browser)
    await pocketbase.admin.deleteUser(email)
    assert.equal((await browser.json('/auth/profile', { bio: 'still here' }, { method: 'PATCH' })).status, 401)
    await assertOpensNothing(app, thief, 'token_rejected')
  })

  it('that may not sign in any more opens nothing after the next check', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    await pocketbase.admin.setAuthRule('verified = true')
    try {
      app.clock.advance(MINUTE)
      assert.equal((await person.browser.get('/account')).status, 401)
      await other.get('/account')
      for (const browser of [person.browser, other]) assert.notEqual(await stateOf(browser), 'signed in')
    } finally {
      await pocketbase.admin.setAuthRule('')
    }
  })

  it('whose tokens were ended by an administrator of PocketBase opens nothing after the next check', async () => {
    const { browser, email } = await newPerson(app)
    const stranger = await newPerson(app)
    const thief = stealCookies(app, browser)
    await pocketbase.admin.rotateTokenKey(email)
    app.clock.advance(MINUTE)
    assert.equal((await browser.get('/account')).status, 401)
    await assertOpensNothing(app, thief, 'token_rejected')
    assert.equal(await stateOf(stranger.browser), 'signed in')
  })
})

describe('while PocketBase is down', () => {
  const down = async (work: () => Promise<void>): Promise<void> => {
    await pocketbase.kill()
    try {
      await work()
    } finally {
      await pocketbase.start()
      app.clock.advance(6000)
    }
  }

  it('nobody is signed out, and nothing answers 401', async () => {
    const { browser } = await newPerson(app)
    await down(async () => {
      for (let minute = 0; minute < 15; minute++) {
        app.clock.advance(MINUTE)
        for (const answer of [
          await browser.get('/auth/sessions'),
          await browser.get('/account'),
          await browser.page('/account'),
        ]) {
          assert.ok([200, 503].includes(answer.status), `${minute}: ${answer.path} ${answer.status}`)
          assert.equal(speaksOfSession(app, answer), false)
        }
      }
      const sensitive = [
        await browser.get('/account'),
        await browser.json('/auth/profile', { bio: 'x' }, { method: 'PATCH' }),
        await browser.json('/auth/reauthenticate', { password: PASSWORD }),
      ]
      for (const answer of sensitive) {
        assert.equal(answer.status, 503, answer.path)
        assert.ok(Number(answer.headers['retry-after']) > 0, answer.path)
      }
    })
    assert.equal(await stateOf(browser), 'signed in')
    assert.equal((await browser.get('/account')).status, 200)
  })

  it('nobody is signed in, whatever they send, and no guess is counted against anybody', async () => {
    const { email } = await newPerson(app)
    await down(async () => {
      for (let count = 0; count < 12; count++) {
        const browser = app.browser()
        const answer = await browser.login(email, PASSWORD)
        assert.deepEqual([answer.status, speaksOfSession(app, answer)], [503, false])
      }
    })
    assert.equal((await app.browser().login(email, PASSWORD)).status, 200)
  })

  it('somebody can still sign out, and it holds', async () => {
    const { browser } = await newPerson(app)
    const thief = stealCookies(app, browser)
    await down(async () => {
      assert.equal((await browser.json('/auth/logout')).status, 204)
    })
    await assertOpensNothing(app, thief, 'logout')
  })
})
