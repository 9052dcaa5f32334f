import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { newPerson, stateOf } from '../../support/people.ts'

const HOUR = 3_600_000

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

describe('GET /auth/status', () => {
  it('says that nobody is signed in, with a token for the login form', async () => {
    const answer = await app.browser().get('/auth/status')
    assert.equal(answer.status, 200)
    const { csrfToken, ...rest } = answer.json()
    assert.deepEqual(rest, { authenticated: false, reason: null })
    assert.equal(typeof csrfToken, 'string')
    assert.match(String(answer.headers['cache-control']), /no-store/)
  })

  it('says who is signed in, since when and for how long', async () => {
    const { browser, userId } = await newPerson(app)
    const answer = (await browser.get('/auth/status')).json() as Record<string, Record<string, unknown>>
    assert.deepEqual(Object.keys(answer).toSorted(), ['authenticated', 'csrfToken', 'session', 'user'])
    const { user, session } = answer
    assert.equal(user?.['id'], userId)
    const now = app.clock.now()
    assert.deepEqual(
      [session?.['createdAt'], session?.['authTime'], session?.['idleExpiresAt'], session?.['expiresAt']],
      [now, now, now + 2 * HOUR, now + 24 * HOUR],
    )
    assert.match(String(session?.['id']), /^[\w-]{22}$/)
  })

  it('does not keep a session alive', async () => {
    const { browser } = await newPerson(app)
    for (let polls = 0; polls < 4; polls++) {
      app.clock.advance(HOUR / 2 - 1)
      assert.equal(await stateOf(browser), 'signed in')
    }
    app.clock.advance(10)
    assert.equal(await stateOf(browser), 'idle_timeout')
  })

  it('says when a session has reached its absolute limit', async () => {
    const { browser } = await newPerson(app)
    for (let hours = 0; hours < 23; hours++) {
      app.clock.advance(HOUR)
      assert.equal((await browser.get('/auth/sessions')).status, 200)
    }
    app.clock.advance(HOUR)
    assert.equal(await stateOf(browser), 'absolute_timeout')
  })
})

describe('GET /auth/csrf', () => {
  it('hands out a token that works for this browser only', async () => {
    const { browser } = await newPerson(app)
    const token = await browser.csrfToken()
    const stranger = await newPerson(app)
    const stolen = await stranger.browser.json('/auth/logout', undefined, { headers: { 'X-CSRF-Token': token } })
    assert.equal(stolen.status, 403)
    assert.equal((await browser.json('/auth/logout')).status, 204)
  })
})
