// Which answers to a login are taken for a user of our collection.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PocketBaseUnavailableError } from '../../../server/errors.ts'
import { authenticatedFrom, userFrom } from '../../../server/pocketbase/authenticated.ts'

const record = { id: 'u1', collectionId: 'c1', collectionName: 'users', role: 'user' }

function tokenFor(claims: object): string {
  const payload = { type: 'auth', id: 'u1', collectionId: 'c1', exp: 100, ...claims }
  return `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.signature`
}

test('takes token and record of the configured collection, named or by id', () => {
  const token = tokenFor({})
  const expected = { token, user: record, expiresAt: 100_000 }
  assert.deepEqual(authenticatedFrom({ token, record }, 'users'), expected)
  assert.deepEqual(authenticatedFrom({ token, record }, 'c1'), expected)
})

test('refuses a record of another collection, a superuser, and a token of somebody else', () => {
  const refused: readonly unknown[] = [
    undefined,
    null,
    'text',
    { token: tokenFor({}) },
    { record },
    { token: tokenFor({}), record: { ...record, collectionName: 'clients' } },
    { token: tokenFor({}), record: { ...record, collectionName: '_superusers' } },
    { token: tokenFor({ id: 'u2' }), record },
    { token: tokenFor({ collectionId: 'c2' }), record },
    { token: tokenFor({ type: 'file' }), record },
    { token: 'garbage', record },
  ]
  for (const answer of refused) {
    assert.throws(() => authenticatedFrom(answer, 'users'), PocketBaseUnavailableError, JSON.stringify(answer))
  }
})

test('never takes a superuser for a user, even where that collection is configured', () => {
  assert.equal(userFrom({ ...record, collectionName: '_superusers' }, '_superusers'), null)
})
