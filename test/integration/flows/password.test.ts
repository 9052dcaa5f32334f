import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import {
  anotherBrowser,
  fieldsOf,
  newPerson,
  NEW_PASSWORD,
  PASSWORD,
  problem,
  sessionCookie,
  sessionOf,
  stateOf,
} from '../../support/people.ts'

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

const change = (currentPassword = PASSWORD, password = NEW_PASSWORD) => ({
  currentPassword,
  password,
  passwordConfirm: password,
})

describe('POST /auth/password', () => {
  it('changes the password, gives this session a new id and ends the others', async () => {
    const person = await newPerson(app)
    const { browser } = person
    const other = await anotherBrowser(app, person)
    const stranger = await newPerson(app)
    const copy = app.browser()
    for (const [name, cookie] of browser.cookies) copy.cookies.set(name, cookie)
    const answer = await browser.json('/auth/password', change())
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.equal(await stateOf(browser), 'signed in')
    assert.equal(await stateOf(copy), 'rotated')
    assert.equal(await stateOf(other), 'password_changed')
    assert.equal(await stateOf(stranger.browser), 'signed in')
    assert.equal(problem(await app.browser().login(person.email, PASSWORD)), '401 invalid_credentials')
    assert.equal((await app.browser().login(person.email, NEW_PASSWORD)).status, 200)
    assert.ok(
      app.events.some(({ name, event }) => name === 'authn_password_change' && event['userId'] === person.userId),
    )
  })

  it('keeps the session usable: its token is the new one', async () => {
    const { browser } = await newPerson(app)
    await browser.json('/auth/password', change())
    app.clock.advance(61_000)
    assert.equal((await browser.json('/auth/profile', { bio: 'Still here' }, { method: 'PATCH' })).status, 200)
    assert.equal(await stateOf(browser), 'signed in')
  })

  it('says at its field that the current password is wrong, and leaves the session as it was', async () => {
    const person = await newPerson(app)
    const { browser } = person
    const other = await anotherBrowser(app, person)
    const cookie = sessionCookie(browser)
    app.clock.advance(11 * 60_000)
    const answer = await browser.json('/auth/password', change('wrong horse'))
    assert.equal(problem(answer), '422 invalid_input')
    assert.deepEqual(fieldsOf(answer), ['currentPassword'])
    assert.equal(sessionCookie(browser), cookie)
    assert.deepEqual([await stateOf(browser), await stateOf(other)], ['signed in', 'signed in'])
    assert.equal(problem(await browser.json('/auth/sessions/revoke-others')), '403 reauth_required', 'nor is it fresh')
  })

  it('counts wrong current passwords like wrong passwords at login', async () => {
    const person = await newPerson(app)
    for (let tries = 0; tries < 10; tries++) {
      assert.deepEqual(fieldsOf(await person.browser.json('/auth/password', change('wrong horse'))), [
        'currentPassword',
      ])
    }
    assert.equal(problem(await person.browser.json('/auth/password', change())), '429 rate_limited')
    assert.equal(problem(await app.browser().login(person.email, PASSWORD)), '429 rate_limited')
    assert.equal(await stateOf(person.browser), 'signed in')
  })

  it('refuses a new password that is short, differs, is cut by bcrypt or refused by PocketBase, and keeps the session', async () => {
    const { browser } = await newPerson(app)
    const refused = async (body: object) => fieldsOf(await browser.json('/auth/password', body))
    assert.deepEqual(await refused(change(PASSWORD, 'short')), ['password'])
    assert.deepEqual(await refused({ ...change(), passwordConfirm: 'typo' }), ['passwordConfirm'])
    assert.deepEqual(await refused(change(PASSWORD, 'x'.repeat(73))), ['password'])
    assert.deepEqual(await refused(change(PASSWORD, 'x'.repeat(72))), ['password'])
    assert.deepEqual(await refused({ ...change(), userId: 'x' }), ['userId'])
    assert.equal(await stateOf(browser), 'signed in')
    assert.equal((await browser.json('/auth/password', change())).status, 204)
  })

  it('answers 503 while PocketBase is away, and nobody is signed out', async () => {
    const { browser } = await newPerson(app)
    await browser.csrfToken()
    await app.pocketbase?.kill()
    const answer = await browser.json('/auth/password', change())
    await app.pocketbase?.start()
    assert.equal(problem(answer), '503 pocketbase_unavailable')
    assert.equal(await stateOf(browser), 'signed in')
    assert.equal((await browser.json('/auth/password', change())).status, 204)
  })

  it('loses nothing that the app kept in the session, not even what another request writes meanwhile', async () => {
    const { browser } = await newPerson(app)
    const before = await sessionOf(app, browser)
    await app.services.sessions.update(before, { set: { 'data:cart': ['tea'] } })
    const changing = browser.json('/auth/password', change())
    const written = await app.services.sessions.update(before, { set: { 'data:theme': 'dark' } })
    assert.equal((await changing).status, 204)
    assert.equal(written, 'ok')
    assert.deepEqual({ ...(await sessionOf(app, browser)).data() }, { cart: ['tea'], theme: 'dark' })
  })

  it('lets one of ten changes at the same moment win, and the others neither change nor end anything', async () => {
    const person = await newPerson(app)
    const browsers = [person.browser]
    while (browsers.length < 10) browsers.push(await anotherBrowser(app, person))
    await Promise.all(browsers.map((browser) => browser.csrfToken()))
    const answers = await Promise.all(
      browsers.map((browser, index) => browser.json('/auth/password', change(PASSWORD, `password ${index}`))),
    )
    const winner = answers.findIndex(({ status }) => status === 204)
    assert.equal(answers.filter(({ status }) => status === 204).length, 1)
    const worked = await Promise.all(
      browsers.map(async (_, index) => (await app.browser().login(person.email, `password ${index}`)).status === 200),
    )
    assert.deepEqual(
      worked,
      browsers.map((_, index) => index === winner),
    )
    assert.equal(await stateOf(browsers[winner] ?? person.browser), 'signed in')
  })

  it('takes a form', async () => {
    const { browser } = await newPerson(app)
    const answer = await browser.form('/auth/password', change())
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/account'])
    assert.equal(await stateOf(browser), 'signed in')
  })
})
