// Every call of the port against a real PocketBase with our migrations and hooks.

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'
import { PROBE_ADDRESS } from '../../server/pocketbase/report.ts'
import { startMailServer, tokenIn } from '../support/mail.ts'
import type { MailServer } from '../support/mail.ts'
import { clientOf, newUser, VISITOR } from '../support/pocketbase-client.ts'
import { startPocketBase } from '../support/pocketbase.ts'
import type { TestPocketBase } from '../support/pocketbase.ts'

const TOKEN_SECONDS = 15 * 86_400

let mail: MailServer
let server: TestPocketBase
let pocketbase: PocketBasePort

before(async () => {
  mail = await startMailServer()
  server = await startPocketBase({ smtpUrl: mail.url, tokenSeconds: TOKEN_SECONDS })
  pocketbase = clientOf(server.url)
})
after(async () => {
  await server.stop()
  await mail.close()
})

describe('signing in', () => {
  test('a right password gives token, user and the end of the token', async () => {
    const { email, password, userId } = await newUser(pocketbase)
    const result = await pocketbase.authWithPassword({ identity: email, password }, VISITOR)
    assert.equal(result.kind, 'ok')
    assert.ok(result.kind === 'ok')
    assert.equal(result.user.id, userId)
    assert.equal(result.user.email, email)
    assert.equal(result.user.role, 'user')
    const lifeMs = result.expiresAt - Date.now()
    assert.ok(Math.abs(lifeMs - TOKEN_SECONDS * 1000) < 60_000, `${lifeMs}`)
  })

  test('the case of the e-mail address does not matter', async () => {
    const { email, password } = await newUser(pocketbase)
    const result = await pocketbase.authWithPassword({ identity: email.toUpperCase(), password }, VISITOR)
    assert.equal(result.kind, 'ok')
  })

  test('unknown users, wrong and empty passwords are one answer', async () => {
    const { email } = await newUser(pocketbase)
    for (const [identity, password] of [
      [email, 'wrong-password'],
      ['nobody@example.com', 'password12'],
      [email, ''],
      ['', ''],
      [email, 'x'.repeat(300)],
    ] as const) {
      const result = await pocketbase.authWithPassword({ identity, password }, VISITOR)
      assert.deepEqual(result, { kind: 'wrong' }, identity)
    }
  })

  test('a superuser is no user', async () => {
    const { email: identity, password } = server.superuser
    assert.deepEqual(await pocketbase.authWithPassword({ identity, password }, VISITOR), { kind: 'wrong' })
    const { token } = (await server.admin.client()).authStore
    assert.deepEqual(await pocketbase.authRefresh(token, VISITOR), { kind: 'rejected' })
    assert.deepEqual(await pocketbase.rotateTokens(token, VISITOR), { kind: 'rejected' })
  })

  test('many sign in at once, none gets the record of another', async () => {
    const narrow = clientOf(server.url, { concurrentLogins: 2 })
    const users = await Promise.all(Array.from({ length: 20 }, () => newUser(narrow)))
    const results = await Promise.all(
      users.map(({ email, password }) => narrow.authWithPassword({ identity: email, password }, VISITOR)),
    )
    const found = results.map((result) => (result.kind === 'ok' ? result.user.id : result.kind))
    assert.deepEqual(
      found,
      users.map(({ userId }) => userId),
    )
  })
})

describe('tokens', () => {
  test('a refresh gives the current user', async () => {
    const { email, token, userId } = await newUser(pocketbase)
    await server.admin.setRole(email, 'editor')
    const result = await pocketbase.authRefresh(token, VISITOR)
    assert.ok(result.kind === 'ok')
    assert.equal(result.user.id, userId)
    assert.equal(result.user.role, 'editor')
  })

  test('a token that is dead, made up or of another kind is rejected', async () => {
    const { email, token } = await newUser(pocketbase)
    const { next } = mail
    await pocketbase.requestVerification(email, VISITOR)
    const linkToken = tokenIn(await next(({ to }) => to === email))
    await server.admin.rotateTokenKey(email)
    for (const bad of [token, linkToken, 'garbage', `${token}x`, '']) {
      assert.deepEqual(await pocketbase.authRefresh(bad, VISITOR), { kind: 'rejected' }, bad)
    }
  })

  test('a rotation ends all other tokens and gives a good one', async () => {
    const { email, password, token } = await newUser(pocketbase)
    const result = await pocketbase.rotateTokens(token, VISITOR)
    assert.ok(result.kind === 'ok')
    assert.notEqual(result.token, token)
    assert.deepEqual(await pocketbase.authRefresh(token, VISITOR), { kind: 'rejected' })
    assert.equal((await pocketbase.authRefresh(result.token, VISITOR)).kind, 'ok')
    assert.equal((await pocketbase.authWithPassword({ identity: email, password }, VISITOR)).kind, 'ok')
  })

  test('a deleted user is rejected', async () => {
    const { email, token } = await newUser(pocketbase)
    await server.admin.deleteUser(email)
    assert.deepEqual(await pocketbase.authRefresh(token, VISITOR), { kind: 'rejected' })
  })
})

describe('passwords', () => {
  test('a change needs the current one, and ends the token that made it', async () => {
    const { email, password, token, userId } = await newUser(pocketbase)
    const wrong = { token, userId, currentPassword: 'not-this-one', password: 'new-password' }
    assert.deepEqual(await pocketbase.changePassword(wrong, VISITOR), {
      kind: 'invalid',
      errors: { currentPassword: 'This is not your current password.' },
    })
    const right = { ...wrong, currentPassword: password }
    assert.equal((await pocketbase.changePassword(right, VISITOR)).kind, 'ok')
    assert.deepEqual(await pocketbase.authRefresh(token, VISITOR), { kind: 'rejected' })
    assert.deepEqual(await pocketbase.changePassword(right, VISITOR), { kind: 'rejected' })
    const again = await pocketbase.authWithPassword({ identity: email, password: 'new-password' }, VISITOR)
    assert.equal(again.kind, 'ok')
  })

  test('a new password that is too short or too long is an error at its field', async () => {
    const { password: currentPassword, token, userId } = await newUser(pocketbase)
    for (const password of ['short', 'x'.repeat(80), 'ü'.repeat(40)]) {
      const result = await pocketbase.changePassword({ token, userId, currentPassword, password }, VISITOR)
      assert.equal(result.kind, 'invalid', password)
    }
    const short = await pocketbase.changePassword({ token, userId, currentPassword, password: 'short' }, VISITOR)
    assert.deepEqual(Object.keys(short.kind === 'invalid' ? short.errors : {}), ['password'])
  })

  test('a reset by the link of a real mail works once', async () => {
    const { email, token: sessionToken } = await newUser(pocketbase)
    await pocketbase.requestPasswordReset(email, VISITOR)
    const message = await mail.next(({ to }) => to === email)
    assert.equal(message.links[0]?.origin, 'http://localhost:3000')
    assert.equal(message.links[0]?.pathname, '/reset-password')
    const reset = { token: tokenIn(message), password: 'after-the-reset' }
    const short = await pocketbase.confirmPasswordReset({ ...reset, password: 'short' }, VISITOR)
    assert.deepEqual(Object.keys(short.kind === 'invalid' ? short.errors : {}), ['password'])
    assert.equal((await pocketbase.confirmPasswordReset(reset, VISITOR)).kind, 'ok')
    assert.deepEqual(await pocketbase.confirmPasswordReset(reset, VISITOR), { kind: 'rejected' })
    assert.deepEqual(await pocketbase.authRefresh(sessionToken, VISITOR), { kind: 'rejected' })
    const again = await pocketbase.authWithPassword({ identity: email, password: 'after-the-reset' }, VISITOR)
    assert.equal(again.kind, 'ok')
  })

  test('a reset for an unknown address, or for what is none, looks the same', async () => {
    for (const email of ['nobody@example.com', 'no address', '']) {
      assert.equal(await pocketbase.requestPasswordReset(email, VISITOR), undefined)
    }
    for (const token of ['garbage', '']) {
      const result = await pocketbase.confirmPasswordReset({ token, password: 'password12' }, VISITOR)
      assert.deepEqual(result, { kind: 'rejected' })
    }
  })
})

describe('verification', () => {
  test('the link of a real mail verifies the address and leaves the token alive', async () => {
    const { email, token } = await newUser(pocketbase)
    await pocketbase.requestVerification(email, VISITOR)
    const message = await mail.next(({ to }) => to === email)
    assert.equal(message.links[0]?.pathname, '/verify-email')
    assert.equal((await pocketbase.confirmVerification(tokenIn(message), VISITOR)).kind, 'ok')
    const refreshed = await pocketbase.authRefresh(token, VISITOR)
    assert.equal(refreshed.kind === 'ok' && refreshed.user.verified, true)
    assert.deepEqual(await pocketbase.confirmVerification('garbage', VISITOR), { kind: 'rejected' })
    assert.equal(await pocketbase.requestVerification('nobody@example.com', VISITOR), undefined)
  })
})

describe('profiles', () => {
  test('are read and changed by their owner, in the configured fields only', async () => {
    const owner = await newUser(pocketbase)
    const original = await pocketbase.getProfile(owner, VISITOR)
    assert.ok(original.kind === 'ok')
    assert.deepEqual(Object.keys(original.value ?? {}), ['displayName', 'bio'])
    const other = await newUser(pocketbase)
    const fields = { bio: 'Hello', user: other.userId, created: '2000-01-01' }
    const changed = await pocketbase.setProfile({ ...owner, fields }, VISITOR)
    assert.deepEqual(changed.kind === 'ok' && changed.value, { ...original.value, bio: 'Hello' })
    assert.deepEqual(await pocketbase.getProfile(owner, VISITOR), changed)
  })

  test('a value that PocketBase refuses is an error at its field', async () => {
    const owner = await newUser(pocketbase)
    const result = await pocketbase.setProfile(
      { ...owner, fields: { displayName: '', bio: 'x'.repeat(2001) } },
      VISITOR,
    )
    assert.deepEqual(Object.keys(result.kind === 'invalid' ? result.errors : {}).toSorted(), ['bio', 'displayName'])
  })

  test("another user's profile stays out of reach", async () => {
    const owner = await newUser(pocketbase)
    const other = await newUser(pocketbase)
    const theft = { token: other.token, userId: owner.userId }
    assert.deepEqual(await pocketbase.getProfile(theft, VISITOR), { kind: 'ok', value: null })
    const written = await pocketbase.setProfile({ ...theft, fields: { displayName: 'Mallory' } }, VISITOR)
    assert.equal(written.kind, 'invalid')
    const kept = await pocketbase.getProfile(owner, VISITOR)
    assert.notEqual(kept.kind === 'ok' && kept.value?.['displayName'], 'Mallory')
  })

  test('a missing one is made, even when two want to make it at once', async () => {
    const owner = await newUser(pocketbase)
    const admin = await server.admin.client()
    const profile = await admin.collection('profiles').getFirstListItem(`user = "${owner.userId}"`)
    await admin.collection('profiles').delete(profile.id)
    assert.deepEqual(await pocketbase.getProfile(owner, VISITOR), { kind: 'ok', value: null })
    const results = await Promise.all(
      ['One', 'Two'].map((displayName) => pocketbase.setProfile({ ...owner, fields: { displayName } }, VISITOR)),
    )
    assert.deepEqual(
      results.map(({ kind }) => kind),
      ['ok', 'ok'],
    )
  })
})

describe('looking at users', () => {
  test('an admin finds others by a part of their address, wildcards and quotes included', async () => {
    const admin = await newUser(pocketbase)
    await server.admin.setRole(admin.email, 'admin')
    const other = await newUser(pocketbase)
    const query = other.email.slice(0, -4).toUpperCase()
    const found = await pocketbase.findUsers({ token: admin.token, query }, VISITOR)
    assert.ok(found.kind === 'ok')
    assert.deepEqual(
      found.value.map(({ email }) => email),
      [other.email],
    )
    for (const odd of ['"', "' || 1=1 || '", 'nobody@', '\\']) {
      assert.deepEqual(await pocketbase.findUsers({ token: admin.token, query: odd }, VISITOR), {
        kind: 'ok',
        value: [],
      })
    }
    const all = await pocketbase.findUsers({ token: admin.token, query: '' }, VISITOR)
    assert.equal(all.kind === 'ok' && all.value.length, 20)
    const one = await pocketbase.getUser({ token: admin.token, userId: other.userId }, VISITOR)
    assert.equal(one.kind === 'ok' && one.value?.email, other.email)
  })

  test('everybody else finds only themselves', async () => {
    const user = await newUser(pocketbase)
    const other = await newUser(pocketbase)
    assert.deepEqual(await pocketbase.findUsers({ token: user.token, query: 'user' }, VISITOR), { kind: 'rejected' })
    const { token } = user
    assert.deepEqual(await pocketbase.getUser({ token, userId: other.userId }, VISITOR), { kind: 'ok', value: null })
    const own = await pocketbase.getUser({ token, userId: user.userId }, VISITOR)
    assert.equal(own.kind === 'ok' && own.value?.email, user.email)
  })
})

test('the report tells version, token life and the address that PocketBase saw', async () => {
  const { version, ...report } = await pocketbase.report()
  assert.match(version ?? '', /^0\.(39|40)\./)
  assert.deepEqual(report, {
    hooks: true,
    tokenLifeMs: TOKEN_SECONDS * 1000,
    seenIp: PROBE_ADDRESS,
    profiles: true,
    roles: true,
  })
})
