import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { startMailServer, tokenIn, type MailServer } from '../../support/mail.ts'
import {
  anotherBrowser,
  fieldsOf,
  newPerson,
  NEW_PASSWORD,
  PASSWORD,
  problem,
  stateOf,
  type Person,
} from '../../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../../support/pocketbase.ts'

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

const confirm = (token: string, password = NEW_PASSWORD) => ({ token, password, passwordConfirm: password })

/** The token of the mail that `person` has asked for. */
async function resetToken({ email }: Person): Promise<string> {
  const answer = await app.browser().json('/auth/password-reset', { email })
  assert.equal(answer.status, 202)
  const letter = await mail.next(({ to, subject }) => to.includes(email) && subject.startsWith('Reset'))
  return tokenIn(letter)
}

describe('POST /auth/password-reset', () => {
  it('answers the same for known and unknown addresses', async () => {
    const person = await newPerson(app)
    const answers = [
      await app.browser().json('/auth/password-reset', { email: person.email }),
      await app.browser().json('/auth/password-reset', { email: 'nobody@example.com' }),
    ]
    for (const answer of answers) assert.deepEqual([answer.status, answer.text], [202, answers[0]?.text])
  })

  it('refuses what is no address, and fields that do not exist', async () => {
    const browser = app.browser()
    assert.deepEqual(fieldsOf(await browser.json('/auth/password-reset', { email: 'ann' })), ['email'])
    assert.deepEqual(fieldsOf(await browser.json('/auth/password-reset', { email: 'a@b.de', to: 'x' })), ['to'])
  })

  it('answers 503 while PocketBase is away, not "a mail is on its way"', async () => {
    const person = await newPerson(app)
    const browser = app.browser()
    await browser.csrfToken()
    await pocketbase.kill()
    const answer = await browser.json('/auth/password-reset', { email: person.email })
    await pocketbase.start()
    assert.equal(problem(answer), '503 pocketbase_unavailable')
  })
})

describe('POST /auth/password-reset/confirm', () => {
  it('sets the password and ends every session of the user, this browser too, signing nobody in', async () => {
    const person = await newPerson(app)
    const stranger = await newPerson(app)
    const thief = await anotherBrowser(app, person)
    const answer = await person.browser.json('/auth/password-reset/confirm', confirm(await resetToken(person)))
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.equal(await stateOf(thief), 'password_reset')
    assert.equal(await stateOf(person.browser), null)
    assert.equal(await stateOf(stranger.browser), 'signed in')
    assert.equal(problem(await app.browser().login(person.email, PASSWORD)), '401 invalid_credentials')
    assert.equal((await app.browser().login(person.email, NEW_PASSWORD)).status, 200)
    assert.ok(
      app.events.some(({ name, event }) => name === 'authn_password_reset' && event['userId'] === person.userId),
    )
  })

  it('leaves another user who is signed in here alone', async () => {
    const person = await newPerson(app)
    const stranger = await newPerson(app)
    const answer = await stranger.browser.json('/auth/password-reset/confirm', confirm(await resetToken(person)))
    assert.equal(answer.status, 204)
    assert.equal(await stateOf(stranger.browser), 'signed in')
    assert.equal(await stateOf(person.browser), 'password_reset')
  })

  it('takes a token once, of 20 tries at the same moment too', async () => {
    const person = await newPerson(app)
    const token = await resetToken(person)
    const browsers = Array.from({ length: 20 }, () => app.browser())
    await Promise.all(browsers.map((browser) => browser.csrfToken()))
    const answers = await Promise.all(
      browsers.map((browser, index) =>
        browser.json('/auth/password-reset/confirm', confirm(token, `password ${index}`)),
      ),
    )
    const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.deepEqual(statuses, [204, ...Array.from({ length: 19 }, () => 400)])
    const late = await app.browser().json('/auth/password-reset/confirm', confirm(token))
    assert.equal(problem(late), '400 invalid_token')
    const winner = answers.findIndex(({ status }) => status === 204)
    assert.equal((await app.browser().login(person.email, `password ${winner}`)).status, 200)
  })

  it('gives one answer to unknown, malformed and used tokens and to those of other kinds', async () => {
    const person = await newPerson(app)
    const used = await resetToken(person)
    await app.browser().json('/auth/password-reset/confirm', confirm(used))
    const verification = await mail.next(({ to, subject }) => to.includes(person.email) && !subject.startsWith('Reset'))
    const answers = []
    for (const token of [used, 'x', 'a.b.c', `${used}x`, tokenIn(verification)]) {
      answers.push(await app.browser().json('/auth/password-reset/confirm', confirm(token)))
    }
    for (const answer of answers)
      assert.deepEqual([problem(answer), answer.text], ['400 invalid_token', answers[0]?.text])
  })

  it('gives the token back when something else was wrong', async () => {
    const person = await newPerson(app)
    const token = await resetToken(person)
    const browser = app.browser()
    assert.deepEqual(fieldsOf(await browser.json('/auth/password-reset/confirm', confirm(token, 'short'))), [
      'password',
    ])
    // 72 bytes pass our rule; PocketBase takes 71 characters.
    assert.deepEqual(fieldsOf(await browser.json('/auth/password-reset/confirm', confirm(token, 'x'.repeat(72)))), [
      'password',
    ])
    await pocketbase.kill()
    assert.equal(
      problem(await browser.json('/auth/password-reset/confirm', confirm(token))),
      '503 pocketbase_unavailable',
    )
    await pocketbase.start()
    assert.equal((await browser.json('/auth/password-reset/confirm', confirm(token))).status, 204)
  })

  it('refuses a sign-in that was under way with the old password', async () => {
    const person = await newPerson(app)
    const token = await resetToken(person)
    const browsers = Array.from({ length: 10 }, () => app.browser())
    await Promise.all(browsers.map((browser) => browser.csrfToken()))
    const [reset] = await Promise.all([
      app.browser().json('/auth/password-reset/confirm', confirm(token)),
      ...browsers.map((browser) => browser.login(person.email, PASSWORD)),
    ])
    assert.equal(reset.status, 204)
    const states = await Promise.all(browsers.map(stateOf))
    assert.ok(!states.includes('signed in'), String(states))
  })

  it('takes the form of the mail link without a token in it', async () => {
    const person = await newPerson(app)
    const token = await resetToken(person)
    const browser = app.browser()
    const opened = await browser.page(`/reset-password?token=${token}`)
    assert.equal(opened.status, 303)
    const page = await browser.page('/reset-password')
    assert.ok(!page.text.includes(token))
    const fields = { password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
    const answer = await browser.form('/auth/password-reset/confirm', fields)
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/login'])
    assert.equal((await app.browser().login(person.email, NEW_PASSWORD)).status, 200)
  })
})
