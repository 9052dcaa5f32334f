// The attacker wants to know who has an account here. Answers are compared whole: status, headers, body.
// Their time is PocketBase's: it checks a password for unknown users too, and sends mails in the background.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { startMailServer, type MailServer } from '../support/mail.ts'
import { newEmail, newPerson, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'

let mail: MailServer
let pocketbase: TestPocketBase
let app: StartedApp

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url })
  app = await startApp({ pocketbase: pocketbase.url, registration: 'verify-first' })
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
  await mail?.close()
})

/** Everything of an answer that could tell something, without what is random or was typed. */
function shape({ status, headers, text, cookies }: SeenAnswer, typed: string): object {
  const { date: _, 'content-security-policy': policy, ...others } = headers
  const length = Number(others['content-length'] ?? 0) - typed.length * (text.split(typed).length - 1)
  const plain = (value: string): string =>
    value
      .replaceAll(typed, 'TYPED')
      .replaceAll(/nonce[=-]"?[\w-]+/g, 'NONCE')
      .replaceAll(/name="_csrf" value="[^"]+"/g, 'CSRF')
  return {
    status,
    headers: { ...others, 'content-length': length, policy: plain(String(policy)) },
    cookies: cookies.length,
    text: plain(text),
  }
}

interface Try {
  readonly what: string
  readonly email: string
  readonly password: string
}

async function assertAlike(tries: readonly Try[], ask: (each: Try) => Promise<SeenAnswer>): Promise<void> {
  let first: object | undefined
  for (const each of tries) {
    const found = shape(await ask(each), each.email)
    first ??= found
    assert.deepEqual(found, first, `${tries[0]?.what} and ${each.what}`)
  }
}

/** Somebody who has registered, in an app that lets people register openly. */
async function registered(verified: boolean): Promise<string> {
  const email = newEmail()
  assert.equal((await app.browser().register(email, PASSWORD)).status, 202)
  if (verified) await pocketbase.admin.updateUser(email, { verified: true })
  return email
}

async function everySort(): Promise<readonly Try[]> {
  const full = 'ü'.repeat(36)
  const longEmail = newEmail()
  await app.browser().register(longEmail, full)
  await pocketbase.admin.updateUser(longEmail, { verified: true })
  return [
    { what: 'a wrong password', email: await registered(true), password: 'guessed wrong' },
    { what: 'an unknown user', email: newEmail(), password: 'guessed wrong' },
    {
      what: 'a user who may not sign in yet, with a wrong password',
      email: await registered(false),
      password: 'guessed wrong',
    },
    {
      what: 'a user who may not sign in yet, with the right password',
      email: await registered(false),
      password: PASSWORD,
    },
    {
      what: 'a superuser, with the right password',
      email: pocketbase.superuser.email,
      password: pocketbase.superuser.password,
    },
    { what: 'a password that bcrypt would cut, of a known user', email: longEmail, password: `${full}more` },
    { what: 'a password that bcrypt would cut, of an unknown user', email: newEmail(), password: `${full}more` },
    { what: 'a password with a NUL', email: await registered(true), password: `${PASSWORD}\0` },
    { what: 'a user name instead of an address', email: 'users123456789', password: PASSWORD },
    { what: 'a filter of PocketBase', email: 'x" || email != "', password: PASSWORD },
  ]
}

describe('signing in', () => {
  before(() => pocketbase.admin.setAuthRule('verified = true'))
  after(() => pocketbase.admin.setAuthRule(''))

  it('answers alike whether there is such an account, by a script', async () => {
    await assertAlike(await everySort(), ({ email, password }) => app.browser().login(email, password))
  })

  it('answers alike whether there is such an account, by a form', async () => {
    // What was typed stands in the page, so its length is left out below.
    const tries = (await everySort()).filter(({ email }) => /^[\w@.]+$/.test(email))
    await assertAlike(tries, ({ email: identity, password }) =>
      app.browser().form('/auth/login', { identity, password }),
    )
  })

  it('leaves no trace in the browser by which the accounts could be told apart', async () => {
    for (const { email, password } of await everySort()) {
      const browser = app.browser()
      await browser.csrfToken()
      const before = [...browser.cookies.keys()]
      await browser.login(email, password)
      assert.deepEqual([...browser.cookies.keys()], before)
    }
  })

  it('lets a confirmed user in, so that the answers above are not those to everybody', async () => {
    assert.equal((await app.browser().login(await registered(true), PASSWORD)).status, 200)
  })
})

describe('asking for a reset mail', () => {
  const sorts = async (): Promise<readonly Try[]> => {
    const throttled = await registered(true)
    await app.browser().json('/auth/password-reset', { email: throttled })
    return [
      { what: 'a known address', email: await registered(true), password: '' },
      { what: 'an unknown address', email: newEmail(), password: '' },
      { what: 'an unconfirmed address', email: await registered(false), password: '' },
      { what: 'an address that has just got a mail', email: throttled, password: '' },
      { what: 'a superuser', email: pocketbase.superuser.email, password: '' },
    ]
  }

  it('answers alike, by a script', async () => {
    await assertAlike(await sorts(), ({ email }) => app.browser().json('/auth/password-reset', { email }))
  })

  it('answers alike, by a form', async () => {
    await assertAlike(await sorts(), ({ email }) => app.browser().form('/auth/password-reset', { email }))
  })
})

describe('registering with verify-first', () => {
  const fields = (email: string, more: object = {}) => ({
    email,
    password: PASSWORD,
    passwordConfirm: PASSWORD,
    profile: { displayName: 'Ann' },
    ...more,
  })
  const sorts = async (): Promise<readonly Try[]> => {
    const known = await registered(true)
    return [
      { what: 'a free address', email: newEmail(), password: '' },
      { what: 'a taken address', email: known, password: '' },
      { what: 'a taken address in another case', email: known.toUpperCase(), password: '' },
      { what: 'a taken address that is not confirmed', email: await registered(false), password: '' },
    ]
  }

  it('answers alike, by a script', async () => {
    await assertAlike(await sorts(), ({ email }) => app.browser().json('/auth/register', fields(email)))
  })

  it('answers alike, by a form', async () => {
    await assertAlike(await sorts(), ({ email }) => {
      const form = { email, password: PASSWORD, passwordConfirm: PASSWORD, 'profile.displayName': 'Ann' }
      return app.browser().form('/auth/register', form)
    })
  })

  it('answers alike where something is wrong with the rest: the profile, the password', async () => {
    const wrong: readonly object[] = [
      { profile: {} },
      { profile: { displayName: '' } },
      { profile: { displayName: 'x'.repeat(81) } },
      { profile: { displayName: 'Ann', bio: 'x'.repeat(2001) } },
      { profile: undefined },
      { password: 'short', passwordConfirm: 'short' },
      { password: 'é'.repeat(64), passwordConfirm: 'é'.repeat(64) },
      { passwordConfirm: 'something else' },
    ]
    for (const more of wrong) {
      await assertAlike(await sorts(), ({ email }) => app.browser().json('/auth/register', fields(email, more)))
    }
  })

  it('signs nobody in, neither a new user nor the owner whose password was guessed', async () => {
    const known = await registered(true)
    for (const email of [known, newEmail()]) {
      const browser = app.browser()
      const answer = await browser.json('/auth/register', fields(email))
      assert.deepEqual([answer.status, answer.cookies], [202, []])
    }
  })

  it('lets nobody sign in before the address is confirmed: who signs in with what they have just sent learns nothing', async () => {
    const known = await registered(true)
    const own = { password: 'my own password', passwordConfirm: 'my own password' }
    const tries: Try[] = []
    for (const email of [known, newEmail()]) {
      await app.browser().json('/auth/register', fields(email, own))
      tries.push({ what: email, email, password: own.password })
    }
    await assertAlike(tries, ({ email, password }) => app.browser().login(email, password))
    await assertAlike(tries, ({ email, password }) => app.browser().form('/auth/login', { identity: email, password }))
    assert.equal((await app.browser().login(known, PASSWORD)).status, 200)
  })

  it('changes nothing of the account that is there', async () => {
    const known = await registered(true)
    const other = { password: 'another password', passwordConfirm: 'another password' }
    await app.browser().json('/auth/register', fields(known, other))
    assert.equal((await app.browser().login(known, PASSWORD)).status, 200)
    assert.equal((await app.browser().login(known, 'another password')).status, 401)
  })
})

describe('a signed-in user', () => {
  it('learns nothing of others: not by e-mail, not by id, not by handle', async () => {
    const open = await startApp({ pocketbase: pocketbase.url })
    try {
      const victim = await newPerson(open)
      const attacker = await newPerson(open)
      const paths = [
        `/auth/admin/users?q=${victim.email}`,
        '/auth/admin/users?q=nobody',
        `/auth/admin/users/${victim.userId}/sessions`,
        '/auth/admin/users/unknown12345678/sessions',
        '/admin',
      ]
      for (const path of paths) {
        const answer = await attacker.browser.get(path)
        assert.deepEqual([answer.status, answer.json()['code']], [403, 'forbidden'], path)
        assert.ok(!answer.text.includes(victim.email))
      }
    } finally {
      await open.close()
    }
  })
})
