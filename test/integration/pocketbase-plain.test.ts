// The port against a PocketBase as it comes: no migrations, no hooks, no profiles, no roles.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'
import { startApp } from '../support/app.ts'
import { clientOf, newUser, VISITOR } from '../support/pocketbase-client.ts'
import { startPocketBase } from '../support/pocketbase.ts'
import type { TestPocketBase } from '../support/pocketbase.ts'

let server: TestPocketBase
let pocketbase: PocketBasePort

before(async () => {
  server = await startPocketBase({ hooks: false })
  pocketbase = clientOf(server.url)
})
after(() => server.stop())

test('the report says what is missing', async () => {
  assert.deepEqual(await pocketbase.report(), {
    hooks: false,
    version: null,
    tokenLifeMs: null,
    seenIp: null,
    profiles: false,
    roles: false,
  })
})

test('users register, sign in, refresh and change their password', async () => {
  const { email, password, token, userId } = await newUser(pocketbase)
  assert.equal((await pocketbase.authRefresh(token, VISITOR)).kind, 'ok')
  const change = { token, userId, currentPassword: password, password: 'new-password' }
  assert.equal((await pocketbase.changePassword(change, VISITOR)).kind, 'ok')
  assert.deepEqual(await pocketbase.authRefresh(token, VISITOR), { kind: 'rejected' })
  const again = await pocketbase.authWithPassword({ identity: email, password: 'new-password' }, VISITOR)
  assert.equal(again.kind, 'ok')
})

test('a taken address is an error at its field', async () => {
  const { email } = await newUser(pocketbase)
  const result = await pocketbase.register({ email, password: 'password12', profile: {} }, VISITOR)
  assert.deepEqual(result, { kind: 'invalid', errors: { email: 'This e-mail address is already in use.' } })
})

test('token rotation is not supported', async () => {
  const { token } = await newUser(pocketbase)
  assert.deepEqual(await pocketbase.rotateTokens(token, VISITOR), { kind: 'unsupported' })
})

test('without the collection there is no profile, and none can be set', async () => {
  const owner = await newUser(pocketbase)
  assert.deepEqual(await pocketbase.getProfile(owner, VISITOR), { kind: 'ok', value: null })
  const result = await pocketbase.setProfile({ ...owner, fields: { displayName: 'X' } }, VISITOR)
  assert.deepEqual(result, { kind: 'invalid', errors: { form: 'The profile was not saved.' } })
})

test('a visitor registers as anywhere else; what is sent of a profile is checked, and not kept', async () => {
  const app = await startApp({ pocketbase: server.url })
  try {
    const browser = app.browser()
    const account = { email: 'plain@example.com', password: 'password12', passwordConfirm: 'password12' }
    const wrong = await browser.json('/auth/register', { ...account, profile: { user: 'x' } })
    assert.deepEqual(wrong.json()['errors'], { 'profile.user': 'There is no such field.' })
    const answer = await browser.json('/auth/register', { ...account, profile: { displayName: 'Ann' } })
    assert.equal(answer.status, 201, answer.text)
    assert.equal((await browser.get('/account')).json()['profile'], null)
    assert.equal((await browser.json('/auth/profile', { displayName: 'Ann' }, { method: 'PATCH' })).status, 404)
    assert.equal((await browser.json('/auth/logout')).status, 204)
    assert.equal((await browser.login(account.email, account.password)).status, 200)
  } finally {
    await app.close()
  }
})

test('whoever looks for users sees what the rules let them see', async () => {
  const user = await newUser(pocketbase)
  const found = await pocketbase.findUsers({ token: user.token, query: 'user' }, VISITOR)
  assert.equal(found.kind, 'ok')
  assert.ok(found.kind === 'ok' && found.value.every(({ id }) => id === user.userId))
})

test('a profile collection that is added later is used, with the token of the new user', async () => {
  const admin = await server.admin.client()
  const users = await admin.collections.getOne('users')
  await admin.collections.create({
    type: 'base',
    name: 'profiles',
    listRule: 'user = @request.auth.id',
    viewRule: 'user = @request.auth.id',
    createRule: 'user = @request.auth.id',
    updateRule: 'user = @request.auth.id',
    fields: [
      { type: 'relation', name: 'user', collectionId: users.id, required: true, maxSelect: 1, cascadeDelete: true },
      { type: 'text', name: 'displayName', required: true },
      { type: 'text', name: 'bio' },
    ],
  })
  assert.equal((await pocketbase.report()).profiles, true)
  const owner = await newUser(pocketbase)
  const profile = await pocketbase.getProfile(owner, VISITOR)
  assert.match(profile.kind === 'ok' ? String(profile.value?.['displayName']) : '', /^User \d+$/)
  // A profile that is refused must not make the registration fail: the user exists by then.
  const registered = await pocketbase.register(
    { email: 'no-name@example.com', password: 'password12', profile: {} },
    VISITOR,
  )
  assert.equal(registered.kind, 'ok')
})

test('a profile that is missing is made at the next sign-in, and one that is there is left alone', async () => {
  const input = { email: 'late@example.com', password: 'password12', profile: { displayName: '' } }
  assert.equal((await pocketbase.register(input, VISITOR)).kind, 'ok')
  const identity = input.email
  const names = await Promise.all(
    [1, 2].map(async () => {
      const signedIn = await pocketbase.authWithPassword({ identity, password: input.password }, VISITOR)
      assert.ok(signedIn.kind === 'ok')
      return nameOnceThere({ token: signedIn.token, userId: signedIn.user.id })
    }),
  )
  assert.deepEqual(names, ['late', 'late'])
  const { token, userId } = await newUser(pocketbase)
  const named = await nameOnceThere({ token, userId })
  assert.match(named, /^User \d+$/)
})

/** It is made after the sign-in has been answered. */
async function nameOnceThere(owner: { readonly token: string; readonly userId: string }): Promise<string> {
  const profile = await pocketbase.getProfile(owner, VISITOR)
  const name = profile.kind === 'ok' ? profile.value?.['displayName'] : undefined
  return typeof name === 'string' ? name : nameOnceThere(owner)
}

test('a registration that says nothing of a profile gets one all the same', async () => {
  const input = { email: 'unnamed@example.com', password: 'password12' }
  const result = await pocketbase.register(input, VISITOR)
  assert.ok(result.kind === 'ok')
  const admin = await server.admin.client()
  const profile = await admin.collection('profiles').getFirstListItem(`user = "${result.value.id}"`)
  assert.equal(profile['displayName'], 'unnamed')
})
