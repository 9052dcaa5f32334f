import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { anotherBrowser, newPerson, problem, sessionCookie, stateOf } from '../../support/people.ts'

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

/** Somebody who copied the cookies. */
function copyOf(browser: ReturnType<StartedApp['browser']>): ReturnType<StartedApp['browser']> {
  const copy = app.browser()
  for (const [name, cookie] of browser.cookies) copy.cookies.set(name, cookie)
  return copy
}

describe('POST /auth/logout', () => {
  it('ends the session for good, clears the cookie and tells the browser to forget', async () => {
    const { browser } = await newPerson(app)
    const copy = copyOf(browser)
    const answer = await browser.json('/auth/logout')
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.equal(answer.headers['clear-site-data'], '"cache", "storage"')
    assert.equal(sessionCookie(browser), undefined)
    assert.equal(await stateOf(browser), null)
    assert.equal(await stateOf(copy), 'logout')
    assert.equal(problem(await copy.get('/auth/sessions')), '401 session_expired')
  })

  it('is fine without a session, and a second time', async () => {
    const { browser } = await newPerson(app)
    assert.equal((await app.browser().json('/auth/logout')).status, 204)
    const copy = copyOf(browser)
    await browser.json('/auth/logout')
    assert.equal((await copy.json('/auth/logout')).status, 204)
  })

  it('leads a form to the page after logout', async () => {
    const { browser } = await newPerson(app)
    const answer = await browser.form('/auth/logout', {})
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/login'])
    assert.equal(await stateOf(browser), null)
  })
})

describe('POST /auth/logout-everywhere', () => {
  it('ends every session of the user and no other', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    const stranger = await newPerson(app)
    const answer = await person.browser.json('/auth/logout-everywhere')
    assert.deepEqual([answer.status, answer.json()], [200, { ended: 2 }])
    assert.equal(sessionCookie(person.browser), undefined)
    assert.equal(await stateOf(other), 'logout_everywhere')
    assert.equal(await stateOf(stranger.browser), 'signed in')
  })

  it('is for signed-in users', async () => {
    assert.equal(problem(await app.browser().json('/auth/logout-everywhere')), '401 unauthenticated')
  })
})
