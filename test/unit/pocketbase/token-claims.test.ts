// What can be read from a token, and what is no token.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readTokenClaims } from '../../../server/pocketbase/token-claims.ts'
import { mayBeUserToken } from '../../../server/pocketbase/authenticated.ts'

const claims = { collectionId: '_pb_users_auth_', exp: 1_796_857_495, id: 'u1', type: 'auth' }

function tokenOf(payload: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.signature`
}

test('reads a payload whose base64url holds - and _', () => {
  const id = '>>>???~~~' // encodes to both characters that plain base64 has not
  const token = tokenOf({ ...claims, id })
  assert.match(token, /[-_]/)
  assert.deepEqual(readTokenClaims(token), {
    type: 'auth',
    id,
    collectionId: '_pb_users_auth_',
    expiresAt: 1_796_857_495_000,
  })
})

test('is null for whatever is no token of PocketBase', () => {
  const noTokens = ['', 'a', 'a.b', 'a.b.c', 'a.b.c.d', 'e30.bnVsbA.x', tokenOf(null), tokenOf([]), tokenOf('x')]
  const incomplete = [
    { ...claims, exp: '1' },
    { ...claims, exp: undefined },
    { ...claims, type: 1 },
  ].map(tokenOf)
  for (const token of [...noTokens, ...incomplete]) assert.equal(readTokenClaims(token), null, token)
})

test('takes neither a token for a mail link nor one of a superuser for a sign-in', () => {
  assert.equal(mayBeUserToken(tokenOf(claims)), true)
  assert.equal(mayBeUserToken(tokenOf({ ...claims, type: 'passwordReset' })), false)
  assert.equal(mayBeUserToken(tokenOf({ ...claims, collectionId: 'pbc_3142635823' })), false)
  assert.equal(mayBeUserToken('garbage'), false)
})
