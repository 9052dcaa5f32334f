// The attacker has a token that PocketBase made for something else, for somebody else, or for once, and uses it here.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import express, { type Express } from 'express'
import { createApp } from '../../server/app.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { startMailServer, tokenIn, type MailServer } from '../support/mail.ts'
import { anotherBrowser, NEW_PASSWORD, newPerson, PASSWORD, problem, stateOf, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { stealCookies } from '../support/stolen-cookies.ts'

let mail: MailServer
let pocketbase: TestPocketBase
let app: StartedApp

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url })
  app = await startApp({ pocketbase: pocketbase.url, build: withTokenSignIn })
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
  await mail?.close()
})

/** An app that signs people in by a token of PocketBase that it got from elsewhere. */
function withTokenSignIn(auth: Auth, services: OwnedServices): Express {
  const host = express()
  host.use(auth.session())
  host.get('/by-token', async (req, res) => {
    await auth.signIn(req, { token: String(req.query['token']) })
    res.sendStatus(204)
  })
  host.use(createApp(services))
  host.use(auth.errorHandler())
  return host
}

async function mailToken({ email }: Person, subject: 'Reset' | 'Verify'): Promise<string> {
  if (subject === 'Reset') await app.browser().json('/auth/password-reset', { email })
  return tokenIn(await mail.next((letter) => letter.to.includes(email) && letter.subject.startsWith(subject)))
}

/** What PocketBase itself gives to somebody with the password. */
async function authToken(collection: string, identity: string, password: string): Promise<string> {
  const answer = await fetch(`${pocketbase.url}/api/collections/${collection}/auth-with-password`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ identity, password }),
  })
  return ((await answer.json()) as { token: string }).token
}

async function fileToken(token: string): Promise<string> {
  const answer = await fetch(`${pocketbase.url}/api/files/token`, { method: 'POST', headers: { Authorization: token } })
  return ((await answer.json()) as { token: string }).token
}

const confirm = (token: string, password = NEW_PASSWORD) => ({ token, password, passwordConfirm: password })

function reset(token: string, browser = app.browser()): Promise<SeenAnswer> {
  return browser.json('/auth/password-reset/confirm', confirm(token))
}

function verify(token: string, browser = app.browser()): Promise<SeenAnswer> {
  return browser.json('/auth/verification/confirm', { token })
}

/** The token with another claim in it, and the old signature. */
function forged(token: string, change: object): string {
  const [head, payload = '', signature] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  return [head, Buffer.from(JSON.stringify({ ...claims, ...change })).toString('base64url'), signature].join('.')
}

function unsigned(token: string): string {
  const head = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  return `${head}.${token.split('.')[1]}.`
}

describe('a token of another kind', () => {
  it('sets no password and confirms no address, and gets the answer of one that is unknown', async () => {
    const person = await newPerson(app)
    const auth = await authToken('users', person.email, PASSWORD)
    const resetting = await mailToken(person, 'Reset')
    const verifying = await mailToken(person, 'Verify')
    const superuser = await authToken('_superusers', pocketbase.superuser.email, pocketbase.superuser.password)
    const others = [
      auth,
      superuser,
      await fileToken(auth),
      unsigned(resetting),
      unsigned(auth),
      'x',
      'a.b.c',
      '..',
      `${resetting}x`,
    ]
    const unknown = problem(await reset('unknown'))
    for (const token of [...others, verifying, forged(verifying, { type: 'passwordReset' })]) {
      assert.equal(problem(await reset(token)), unknown)
    }
    for (const token of [...others, resetting, forged(resetting, { type: 'verification' })]) {
      assert.equal(problem(await verify(token)), unknown)
    }
    assert.equal(unknown, '400 invalid_token')
    assert.equal(await stateOf(person.browser), 'signed in')
    assert.equal((await app.browser().login(person.email, PASSWORD)).status, 200)
  })

  it('signs nobody in', async () => {
    const person = await newPerson(app)
    const auth = await authToken('users', person.email, PASSWORD)
    const superuser = await authToken('_superusers', pocketbase.superuser.email, pocketbase.superuser.password)
    const tokens = [
      superuser,
      await mailToken(person, 'Verify'),
      await mailToken(person, 'Reset'),
      await fileToken(auth),
      forged(auth, { id: 'somebody1234567' }),
      forged(auth, { collectionId: 'pbc_3142635823' }),
      unsigned(auth),
      '',
      'null',
      auth.slice(0, -2),
    ]
    for (const token of tokens) {
      const browser = app.browser()
      const answer = await browser.get(`/by-token?token=${encodeURIComponent(token)}`)
      assert.deepEqual([problem(answer), answer.cookies], ['401 invalid_credentials', []])
    }
    const good = app.browser()
    assert.equal((await good.get(`/by-token?token=${auth}`)).status, 204)
    assert.equal(await stateOf(good), 'signed in')
  })

  it('is no key to our API, in no header', async () => {
    const { email } = await newPerson(app)
    const token = await authToken('users', email, PASSWORD)
    for (const headers of [
      { Authorization: token },
      { Authorization: `Bearer ${token}` },
      { Cookie: `pb_auth=${token}` },
    ]) {
      assert.equal((await app.browser().get('/auth/sessions', headers)).status, 401)
    }
    assert.equal((await app.browser().get(`/auth/sessions?token=${token}`)).status, 401)
  })
})

describe('a reset token', () => {
  it('that is used 20 times at once sets one password', async () => {
    const person = await newPerson(app)
    const token = await mailToken(person, 'Reset')
    const browsers = Array.from({ length: 20 }, () => app.browser())
    await Promise.all(browsers.map((browser) => browser.csrfToken()))
    const answers = await Promise.all(
      browsers.map((browser, index) =>
        browser.json('/auth/password-reset/confirm', confirm(token, `new password ${index}`)),
      ),
    )
    const won = answers.flatMap(({ status }, index) => (status === 204 ? [index] : []))
    assert.equal(won.length, 1)
    assert.deepEqual(
      new Set(answers.filter(({ status }) => status !== 204).map(problem)),
      new Set(['400 invalid_token']),
    )
    assert.equal((await app.browser().login(person.email, `new password ${won[0]}`)).status, 200)
    assert.equal((await app.browser().login(person.email, `new password ${((won[0] ?? 0) + 1) % 20}`)).status, 401)
  })

  it('that was used is worth nothing', async () => {
    const person = await newPerson(app)
    const token = await mailToken(person, 'Reset')
    assert.equal((await reset(token)).status, 204)
    assert.equal(problem(await reset(token)), '400 invalid_token')
  })

  it('is worth nothing after the password was changed otherwise', async () => {
    const person = await newPerson(app)
    const token = await mailToken(person, 'Reset')
    const change = { currentPassword: PASSWORD, password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
    assert.equal((await person.browser.json('/auth/password', change)).status, 204)
    assert.equal(problem(await reset(token)), '400 invalid_token')
    assert.equal(await stateOf(person.browser), 'signed in')
  })

  it('is not used up by whoever only opens the link: a scanner, a preview, a prefetch', async () => {
    const person = await newPerson(app)
    const token = await mailToken(person, 'Reset')
    for (const method of ['GET', 'HEAD']) {
      for (let times = 0; times < 3; times++) {
        const scanner = app.browser()
        await scanner.send(`/reset-password?token=${token}`, {
          method,
          headers: { 'Sec-Purpose': 'prefetch', Accept: 'text/html' },
        })
        await scanner.page('/reset-password')
      }
    }
    assert.equal((await reset(token)).status, 204)
  })

  it('leaves the address bar at once, and reaches no page, Referer or cache', async () => {
    const person = await newPerson(app)
    const token = await mailToken(person, 'Reset')
    const browser = app.browser()
    const opened = await browser.page(`/reset-password?token=${token}`)
    assert.deepEqual([opened.status, opened.headers.location], [303, '/reset-password'])
    assert.deepEqual([opened.headers['referrer-policy'], opened.headers['cache-control']], ['no-referrer', 'no-store'])
    const page = await browser.page('/reset-password')
    for (const answer of [opened, page]) {
      assert.ok(!`${JSON.stringify(answer.headers)}${answer.text}`.includes(token.split('.')[1] ?? '?'))
    }
    const fields = { password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
    const done = await browser.form('/auth/password-reset/confirm', fields)
    assert.match(String(done.headers.location), /^\/login/)
    assert.deepEqual(
      [...browser.cookies.keys()].filter((name) => name.endsWith('-link')),
      [],
    )
    assert.equal((await app.browser().login(person.email, NEW_PASSWORD)).status, 200)
  })

  it('in the sealed cookie of one browser is of no use to another site’s form, nor after half an hour', async () => {
    const person = await newPerson(app)
    const browser = app.browser()
    await browser.page(`/reset-password?token=${await mailToken(person, 'Reset')}`)
    const fields = { password: 'of the attacker', passwordConfirm: 'of the attacker' }
    const forgedPost = await browser.form('/auth/password-reset/confirm', fields, { Origin: 'https://evil.test' })
    assert.equal(forgedPost.status, 403)
    app.clock.advance(31 * 60_000)
    assert.equal((await browser.form('/auth/password-reset/confirm', fields)).status, 400)
    assert.equal((await app.browser().login(person.email, PASSWORD)).status, 200)
  })

  it('of one user does nothing to the session of another who opens it', async () => {
    const person = await newPerson(app)
    const other = await newPerson(app)
    const before = stealCookies(app, other.browser)
    assert.equal((await reset(await mailToken(person, 'Reset'), other.browser)).status, 204)
    assert.equal(await stateOf(other.browser), 'signed in')
    assert.deepEqual([...other.browser.cookies], [...before.cookies])
    assert.equal(await stateOf(person.browser), 'password_reset')
  })

  it('signs nobody in', async () => {
    const person = await newPerson(app)
    const browser = app.browser()
    const answer = await reset(await mailToken(person, 'Reset'), browser)
    assert.deepEqual([answer.status, await stateOf(browser)], [204, null])
  })
})

describe('a confirmation token', () => {
  it('of one user changes nothing in the session of another', async () => {
    const person = await newPerson(app)
    const other = await newPerson(app)
    assert.equal((await verify(await mailToken(person, 'Verify'), other.browser)).status, 204)
    const { user } = (await other.browser.get('/auth/status')).json() as { user: Record<string, unknown> }
    assert.deepEqual([user['id'], user['verified']], [other.userId, false])
  })

  it('is not used up by whoever only opens the link', async () => {
    const person = await newPerson(app)
    const token = await mailToken(person, 'Verify')
    await app.browser().page(`/verify-email?token=${token}`)
    const again = await anotherBrowser(app, person)
    const { user } = (await again.get('/auth/status')).json() as { user: Record<string, unknown> }
    assert.equal(user['verified'], false)
    assert.equal((await verify(token)).status, 204)
  })
})
