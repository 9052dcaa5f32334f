import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { startMailServer, tokenIn, type MailServer } from '../../support/mail.ts'
import { fieldsOf, newPerson, problem, type Person } from '../../support/people.ts'
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

/** The token of the mail that a registration sends by itself. */
async function mailedToken({ email }: Person): Promise<string> {
  return tokenIn(await mail.next(({ to }) => to.includes(email)))
}

async function isVerified({ browser }: Person): Promise<unknown> {
  const { user } = (await browser.get('/auth/status')).json() as { user: Record<string, unknown> }
  return user['verified']
}

describe('POST /auth/verification', () => {
  it('is for signed-in users', async () => {
    assert.equal(problem(await app.browser().json('/auth/verification')), '401 unauthenticated')
  })

  it('answers 202 and takes no fields', async () => {
    const { browser } = await newPerson(app)
    assert.equal((await browser.json('/auth/verification', {})).status, 202)
    assert.deepEqual(fieldsOf(await browser.json('/auth/verification', { email: 'victim@example.com' })), ['email'])
  })
})

describe('POST /auth/verification/confirm', () => {
  it('confirms the address with the mail of the registration, and this browser knows at once', async () => {
    const person = await newPerson(app)
    assert.equal(await isVerified(person), false)
    const answer = await person.browser.json('/auth/verification/confirm', { token: await mailedToken(person) })
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.equal(await isVerified(person), true)
  })

  it('works where nobody is signed in, and a double click is no error', async () => {
    const person = await newPerson(app)
    const token = await mailedToken(person)
    const browser = app.browser()
    assert.equal((await browser.json('/auth/verification/confirm', { token })).status, 204)
    assert.equal((await browser.json('/auth/verification/confirm', { token })).status, 204)
  })

  it('changes nothing for another user who is signed in here', async () => {
    const person = await newPerson(app)
    const stranger = await newPerson(app)
    await stranger.browser.json('/auth/verification/confirm', { token: await mailedToken(person) })
    assert.equal(await isVerified(stranger), false)
  })

  it('refuses an unknown token', async () => {
    const { browser } = await newPerson(app)
    assert.equal(problem(await browser.json('/auth/verification/confirm', { token: 'x' })), '400 invalid_token')
    assert.deepEqual(fieldsOf(await browser.json('/auth/verification/confirm', {})), ['token'])
  })

  it('does nothing when the link is merely opened, as scanners of mail do', async () => {
    const person = await newPerson(app)
    const token = await mailedToken(person)
    await app.browser().page(`/verify-email?token=${token}`)
    await person.browser.page(`/verify-email?token=${token}`)
    assert.equal(await isVerified(person), false)
    const answer = await person.browser.form('/auth/verification/confirm', {})
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/account'])
    assert.equal(await isVerified(person), true)
  })
})
