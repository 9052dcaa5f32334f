// The attacker sends fields that the form does not have, and hopes that they reach the record.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import { fieldsOf, newEmail, newPerson, PASSWORD, problem, stateOf } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'

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

const fields = (email: string) => ({
  email,
  password: PASSWORD,
  passwordConfirm: PASSWORD,
  profile: { displayName: 'Ann' },
})

/** As JSON text, since `__proto__` in an object literal is something else. */
const EXTRAS: readonly string[] = [
  '"role": "admin"',
  '"role+": "admin"',
  '"+role": "admin"',
  '"role:autogenerate": ""',
  '"Role": "admin"',
  '"verified": true',
  '"tokenKey": "known to the attacker, thirty characters"',
  '"tokenKey:autogenerate": ""',
  '"id": "chosen123456789"',
  '"emailVisibility": true',
  '"collectionId": "x", "collectionName": "_superusers"',
  '"oldPassword": "x"',
  '"created": "2001-01-01"',
  '"@jsonPayload": "{\\"role\\":\\"admin\\"}"',
  '"__proto__": { "role": "admin" }',
  '"constructor": { "prototype": { "role": "admin" } }',
  '"returnTo": "/admin"',
  '"_csrf": "x"',
  '"remember": true',
]

const PROFILE_EXTRAS: readonly string[] = [
  '"user": "somebody1234567"',
  '"user+": "somebody1234567"',
  '"id": "chosen123456789"',
  '"avatar": "x.svg"',
  '"displayName+": "x"',
  '"created": "2001-01-01"',
  '"role": "admin"',
  '"__proto__": { "user": "x" }',
  '"constructor": "x"',
]

/** A JSON object with more text in front of its end. */
const withMore = (object: object, more: string): string => JSON.stringify(object).replace(/\}$/, `, ${more}}`)

async function sendText(
  browser: ReturnType<StartedApp['browser']>,
  path: string,
  { body, method = 'POST' }: { body: string; method?: string },
) {
  const headers = {
    Accept: 'application/json',
    Origin: app.origin,
    'X-CSRF-Token': await browser.csrfToken(),
    'Content-Type': 'application/json',
  }
  return browser.send(path, { method, headers, body })
}

async function countUsers(): Promise<number> {
  const sdk = await pocketbase.admin.client()
  return (await sdk.collection('users').getFullList()).length
}

describe('registration', () => {
  it('refuses every field that it does not have, and makes no account', async () => {
    const before = await countUsers()
    for (const extra of EXTRAS) {
      const answer = await sendText(app.browser(), '/auth/register', { body: withMore(fields(newEmail()), extra) })
      assert.equal(problem(answer), '422 invalid_input', extra)
      assert.equal(answer.cookies.length, 0)
    }
    assert.equal(await countUsers(), before)
  })

  it('refuses every field that a profile does not have', async () => {
    const before = await countUsers()
    for (const extra of PROFILE_EXTRAS) {
      const profile = withMore({ displayName: 'Ann' }, extra)
      const body = JSON.stringify(fields(newEmail())).replace('{"displayName":"Ann"}', profile)
      assert.ok(body.includes(extra))
      assert.equal(problem(await sendText(app.browser(), '/auth/register', { body })), '422 invalid_input', extra)
    }
    assert.equal(await countUsers(), before)
  })

  it('refuses them in a form too', async () => {
    const plain = { email: newEmail(), password: PASSWORD, passwordConfirm: PASSWORD, 'profile.displayName': 'Ann' }
    const extras = [
      'role',
      'role+',
      'verified',
      'tokenKey',
      'profile.user',
      'profile.__proto__',
      '__proto__.role',
      'constructor',
      'profile[user]',
      '@jsonPayload',
    ]
    for (const name of extras) {
      const answer = await app
        .browser()
        .form('/auth/register', { ...plain, [name]: 'admin' }, { Accept: 'application/json' })
      assert.equal(answer.status, 422, name)
    }
    assert.equal(Reflect.get({}, 'role'), undefined)
  })

  it('makes an account with the role and marks of everybody', async () => {
    const { email, browser } = await newPerson(app)
    const sdk = await pocketbase.admin.client()
    const user = await sdk.collection('users').getFirstListItem(sdk.filter('email = {:email}', { email }))
    assert.deepEqual([user['role'], user['verified'], user['emailVisibility']], ['user', false, false])
    assert.equal((await browser.get('/admin')).status, 403)
  })

  it('refuses wrong types at their field', async () => {
    const wrong: Readonly<Record<string, unknown>> = {
      email: ['a@example.com'],
      password: { $gt: '' },
      passwordConfirm: 12345678,
      profile: ['x'],
    }
    for (const [name, value] of Object.entries(wrong)) {
      const answer = await app.browser().json('/auth/register', { ...fields(newEmail()), [name]: value })
      assert.equal(answer.status, 422)
      assert.ok(fieldsOf(answer).includes(name), name)
    }
    for (const body of ['[]', '"text"', '1', 'null', '[{"email":"a@example.com"}]', '{"email"', '']) {
      const { status } = await sendText(app.browser(), '/auth/register', { body })
      assert.ok(status === 400 || status === 422, `${body}: ${status}`)
    }
  })
})

describe('the profile', () => {
  it('refuses every field that it does not have, and nothing changes', async () => {
    const { browser, email } = await newPerson(app)
    for (const extra of [...EXTRAS, ...PROFILE_EXTRAS]) {
      const answer = await sendText(browser, '/auth/profile', {
        method: 'PATCH',
        body: withMore({ bio: 'forged' }, extra),
      })
      assert.equal(problem(answer), '422 invalid_input', extra)
    }
    const { user, profile } = (await browser.get('/account')).json() as Record<string, Record<string, unknown>>
    assert.deepEqual([user?.['email'], user?.['role'], user?.['verified']], [email, 'user', false])
    assert.deepEqual(profile, { displayName: 'Ann', bio: '' })
  })

  it('of somebody else cannot be named', async () => {
    const victim = await newPerson(app)
    const attacker = await newPerson(app)
    const sdk = await pocketbase.admin.client()
    const own = await sdk.collection('profiles').getFirstListItem(`user = "${victim.userId}"`)
    for (const path of [`/auth/profile?id=${own.id}`, `/auth/profile?user=${victim.userId}`]) {
      await attacker.browser.json(path, { bio: 'of the attacker' }, { method: 'PATCH' })
    }
    assert.equal((await sdk.collection('profiles').getOne(own.id))['bio'], '')
  })
})

describe('the other flows', () => {
  it('refuse fields that they do not have', async () => {
    const { browser, email } = await newPerson(app)
    const passwords = { currentPassword: PASSWORD, password: 'battery staple', passwordConfirm: 'battery staple' }
    const bodies: readonly (readonly [string, object])[] = [
      ['/auth/login', { identity: email, password: PASSWORD }],
      ['/auth/password', passwords],
      ['/auth/reauthenticate', { password: PASSWORD }],
      ['/auth/password-reset', { email: newEmail() }],
      ['/auth/password-reset/confirm', { token: 'x', password: 'battery staple', passwordConfirm: 'battery staple' }],
      ['/auth/verification', {}],
      ['/auth/verification/confirm', { token: 'x' }],
    ]
    for (const [path, body] of bodies) {
      for (const extra of [
        '"userId": "somebody1234567"',
        '"identityField": "id"',
        '"__proto__": {}',
        '"createData": {}',
      ]) {
        const only = Object.keys(body).length === 0 ? `{${extra}}` : withMore(body, extra)
        assert.equal(problem(await sendText(browser, path, { body: only })), '422 invalid_input', `${path} ${extra}`)
      }
    }
    assert.equal(await stateOf(browser), 'signed in')
    assert.equal((await app.browser().login(email, PASSWORD)).status, 200)
  })
})

describe('PocketBase itself, should somebody reach it,', () => {
  const register = (extra: object): Promise<Response> =>
    fetch(`${pocketbase.url}/api/collections/users/records`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ ...fields(newEmail()), ...extra }),
    })

  it('gives nobody a role at registration', async () => {
    for (const extra of [
      { role: 'admin' },
      { 'role+': 'admin' },
      { '+role': 'admin' },
      { role: ['admin'] },
      { role: 'user' },
    ]) {
      const answer = await register(extra)
      const { role } = (await answer.json()) as { role?: string }
      assert.ok(!answer.ok || role === 'user', `${JSON.stringify(extra)}: ${answer.status} ${role}`)
    }
  })

  it('lets nobody search for users, and gives nobody a role later', async () => {
    const email = newEmail()
    await register({})
    await app.browser().register(email, PASSWORD)
    const signedIn = await fetch(`${pocketbase.url}/api/collections/users/auth-with-password`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ identity: email, password: PASSWORD }),
    })
    const { token, record } = (await signedIn.json()) as { token: string; record: { id: string } }
    const headers = { Authorization: token, 'Content-Type': 'application/json' }
    const search = await fetch(`${pocketbase.url}/api/session/users?query=e`, { headers })
    assert.equal(search.status, 403)
    for (const body of [{ role: 'admin' }, { 'role+': 'admin' }, { '+role': 'admin' }]) {
      const path = `${pocketbase.url}/api/collections/users/records/${record.id}`
      const answer = await fetch(path, { method: 'PATCH', headers, body: JSON.stringify(body) })
      const { role } = (await answer.json()) as { role?: string }
      assert.ok(!answer.ok || role === 'user', JSON.stringify(body))
    }
    const { items } = (await (await fetch(`${pocketbase.url}/api/collections/users/records`, { headers })).json()) as {
      items: unknown[]
    }
    assert.equal(items.length, 1)
  })
})
