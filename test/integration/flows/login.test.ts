import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import {
  anotherBrowser,
  fieldsOf,
  newEmail,
  newPerson,
  PASSWORD,
  problem,
  sessionCookie,
  stateOf,
} from '../../support/people.ts'

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

describe('POST /auth/login', () => {
  it('answers the user and the session, and nothing secret', async () => {
    const { email, userId } = await newPerson(app)
    const browser = app.browser()
    const answer = await browser.login(email, PASSWORD)
    assert.equal(answer.status, 200)
    const { user, session } = answer.json() as { user: Record<string, unknown>; session: Record<string, unknown> }
    assert.deepEqual([user['id'], user['email'], session['amr']], [userId, email, ['pwd']])
    assert.ok(!answer.text.includes('eyJ'), 'no token of PocketBase')
    assert.ok(!answer.text.includes(sessionCookie(browser)?.split('.')[0] ?? '?'), 'no cookie value')
    assert.equal(await stateOf(browser), 'signed in')
  })

  it('signs in whatever the case of the address', async () => {
    const { email } = await newPerson(app)
    assert.equal((await app.browser().login(` ${email.toUpperCase()} `, PASSWORD)).status, 200)
  })

  it('gives one answer to a wrong password, an unknown user and a password that bcrypt would cut', async () => {
    const { email } = await newPerson(app)
    const full = 'ü'.repeat(36)
    const longEmail = newEmail()
    assert.equal((await app.browser().register(longEmail, full)).status, 201)
    const answers = [
      await app.browser().login(email, 'wrong horse'),
      await app.browser().login('nobody@example.com', PASSWORD),
      await app.browser().login(email, `${PASSWORD}\0more`),
      await app.browser().login(longEmail, `${full}more`),
    ]
    for (const answer of answers) {
      assert.deepEqual([problem(answer), answer.text], ['401 invalid_credentials', answers[0]?.text])
    }
    assert.equal((await app.browser().login(longEmail, full)).status, 200)
  })

  it('refuses unknown fields and wrong types at their field', async () => {
    const browser = app.browser()
    assert.deepEqual(fieldsOf(await browser.login('ann@example.com', 'x', { role: 'admin' })), ['role'])
    assert.deepEqual(fieldsOf(await browser.login('ann@example.com', 'x', { remember: 'on' })), ['remember'])
    assert.deepEqual(fieldsOf(await browser.json('/auth/login', { identity: {}, password: 7 })), [
      'identity',
      'password',
    ])
    assert.deepEqual(fieldsOf(await browser.json('/auth/login', {})), ['identity', 'password'])
  })

  it('keeps the cookie for the browser session only, unless the user asked to be remembered', async () => {
    const { email } = await newPerson(app)
    const line = async (more: object) => {
      const browser = app.browser()
      await browser.login(email, PASSWORD, more)
      return [...browser.cookies.values()].map((cookie) => cookie.line).join()
    }
    assert.doesNotMatch(await line({}), /Max-Age|Expires/i)
    assert.match(await line({ remember: true }), /Max-Age=2592000|Expires/i)
  })

  it('remembers a form that ticked the box, and leads back to where the visitor came from', async () => {
    const { email } = await newPerson(app)
    const browser = app.browser()
    const fields = { identity: email, password: PASSWORD, remember: 'true', returnTo: '/devices' }
    const answer = await browser.form('/auth/login', fields)
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/devices'])
    assert.match([...browser.cookies.values()].map((cookie) => cookie.line).join(), /Max-Age|Expires/i)
  })

  it('ends the session that the browser had', async () => {
    const { browser, email } = await newPerson(app)
    const old = app.browser()
    for (const [name, cookie] of browser.cookies) old.cookies.set(name, cookie)
    await browser.login(email, PASSWORD)
    assert.equal(await stateOf(browser), 'signed in')
    assert.equal(await stateOf(old), 'rotated')
  })

  it('limits wrong passwords per account, and lets other accounts be', async () => {
    const ann = await newPerson(app)
    const bob = await newPerson(app)
    for (let tries = 0; tries < 10; tries++) {
      assert.equal(problem(await app.browser().login(ann.email, 'wrong horse')), '401 invalid_credentials')
    }
    const answer = await app.browser().login(ann.email, PASSWORD)
    assert.equal(problem(answer), '429 rate_limited')
    assert.ok(Number(answer.headers['retry-after']) > 0)
    assert.equal(await stateOf(ann.browser), 'signed in')
    await anotherBrowser(app, bob)
    app.clock.advance(15 * 60_000)
    await anotherBrowser(app, ann)
  })

  it('answers 503 while PocketBase is away, and signs in when it is back', async () => {
    const { email } = await newPerson(app)
    const browser = app.browser()
    await browser.csrfToken()
    await app.pocketbase?.kill()
    const answer = await browser.login(email, PASSWORD)
    assert.equal(problem(answer), '503 pocketbase_unavailable')
    assert.ok(Number(answer.headers['retry-after']) > 0)
    await app.pocketbase?.start()
    assert.equal((await browser.login(email, PASSWORD)).status, 200)
  })

  it('keeps ten sessions a user, however many sign in at once', async () => {
    const person = await newPerson(app)
    const browsers = await Promise.all(Array.from({ length: 30 }, () => anotherBrowser(app, person)))
    const states = await Promise.all([person.browser, ...browsers].map(stateOf))
    const live = states.filter((state) => state === 'signed in').length
    assert.ok(live <= 10 && live >= 9, `${live} live`)
    assert.equal(states.filter((state) => state === 'evicted').length, 31 - live)
  })
})
