import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { anotherBrowser, fieldsOf, newPerson, PASSWORD, problem, sessionCookie, stateOf } from '../../support/people.ts'

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

describe('POST /auth/reauthenticate', () => {
  it('makes the session fresh again under a new id, and ends the old one', async () => {
    const { browser } = await newPerson(app)
    app.clock.advance(11 * 60_000)
    assert.equal(problem(await browser.json('/auth/sessions/revoke-others')), '403 reauth_required')
    const copy = app.browser()
    for (const [name, cookie] of browser.cookies) copy.cookies.set(name, cookie)
    const answer = await browser.json('/auth/reauthenticate', { password: PASSWORD })
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.notEqual(sessionCookie(browser), sessionCookie(copy))
    assert.equal(await stateOf(copy), 'rotated')
    const { session } = (await browser.get('/auth/status')).json() as { session: Record<string, unknown> }
    assert.equal(session['authTime'], app.clock.now())
    assert.equal((await browser.json('/auth/sessions/revoke-others')).status, 200)
  })

  it('leaves the other sessions of the user alone', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    await person.browser.json('/auth/reauthenticate', { password: PASSWORD })
    assert.equal(await stateOf(other), 'signed in')
  })

  it('refuses a wrong password, changes nothing, and counts it', async () => {
    const { browser } = await newPerson(app)
    const cookie = sessionCookie(browser)
    for (let tries = 0; tries < 10; tries++) {
      const answer = await browser.json('/auth/reauthenticate', { password: 'wrong horse' })
      assert.equal(problem(answer), '401 invalid_credentials')
    }
    assert.equal(sessionCookie(browser), cookie)
    assert.equal(problem(await browser.json('/auth/reauthenticate', { password: PASSWORD })), '429 rate_limited')
    assert.equal(await stateOf(browser), 'signed in')
  })

  it('is for signed-in users, and takes the password only', async () => {
    assert.equal(
      problem(await app.browser().json('/auth/reauthenticate', { password: PASSWORD })),
      '401 unauthenticated',
    )
    const { browser } = await newPerson(app)
    const answer = await browser.json('/auth/reauthenticate', { password: PASSWORD, identity: 'someone@example.com' })
    assert.deepEqual(fieldsOf(answer), ['identity'])
  })
})
