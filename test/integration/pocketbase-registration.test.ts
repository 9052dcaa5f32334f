// User and profile come into being together, and nobody gives themselves anything more.

import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { after, before, describe, test } from 'node:test'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'
import { clientOf, newUser, VISITOR } from '../support/pocketbase-client.ts'
import { withStranger } from '../support/stranger.ts'
import { startPocketBase } from '../support/pocketbase.ts'
import type { TestPocketBase } from '../support/pocketbase.ts'

let server: TestPocketBase
let pocketbase: PocketBasePort

before(async () => {
  server = await startPocketBase()
  pocketbase = clientOf(server.url)
})
after(() => server.stop())

async function countOf(collection: string, filter: string): Promise<number> {
  const admin = await server.admin.client()
  return (await admin.collection(collection).getList(1, 1, { filter })).totalItems
}

/** PocketBase's own API, as anybody who reaches it can use it. */
async function request(method: string, path: string, body: object, token = '') {
  const response = await fetch(`${server.url}/api/collections/users/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', Authorization: token },
    body: JSON.stringify(body),
  })
  return response.status
}

describe('registration', () => {
  test('makes a user with role user, and their profile', async () => {
    const input = { email: 'ann@example.com', password: 'password12', profile: { displayName: 'Ann', bio: 'Hi' } }
    const result = await pocketbase.register(input, VISITOR)
    assert.ok(result.kind === 'ok')
    assert.equal(result.value.role, 'user')
    assert.equal(result.value.verified, false)
    assert.equal(await countOf('profiles', `user = "${result.value.id}" && displayName = "Ann" && bio = "Hi"`), 1)
  })

  test('leaves no user behind where the profile is refused', async () => {
    for (const profile of [
      {},
      { displayName: '' },
      { displayName: 'x'.repeat(81) },
      { displayName: 'B', bio: 'x'.repeat(2001) },
    ]) {
      const result = await pocketbase.register({ email: 'bob@example.com', password: 'password12', profile }, VISITOR)
      assert.ok(result.kind === 'invalid')
      for (const field of Object.keys(result.errors)) assert.match(field, /^profile\.(displayName|bio)$/)
    }
    assert.equal(await countOf('users', 'email = "bob@example.com"'), 0)
  })

  test('names a taken address whatever its case, a bad address, and a bad password', async () => {
    const { email } = await newUser(pocketbase)
    const profile = { displayName: 'X' }
    const taken = await pocketbase.register({ email: email.toUpperCase(), password: 'password12', profile }, VISITOR)
    assert.deepEqual(taken, { kind: 'invalid', errors: { email: 'This e-mail address is already in use.' } })
    const bad = await pocketbase.register({ email: 'no address', password: 'short', profile }, VISITOR)
    assert.deepEqual(Object.keys(bad.kind === 'invalid' ? bad.errors : {}).toSorted(), ['email', 'password'])
    const long = await pocketbase.register({ email: 'c@example.com', password: 'ü'.repeat(40), profile }, VISITOR)
    assert.equal(long.kind, 'invalid')
    assert.ok(long.kind === 'invalid' && Object.keys(long.errors).length > 0)
  })

  test('the same address 10 times at once makes one user and one profile', async () => {
    const input = { email: 'race@example.com', password: 'password12', profile: { displayName: 'Race' } }
    const results = await Promise.all(Array.from({ length: 10 }, () => pocketbase.register(input, VISITOR)))
    assert.equal(results.filter(({ kind }) => kind === 'ok').length, 1)
    assert.equal(results.filter(({ kind }) => kind === 'invalid').length, 9)
    assert.equal(await countOf('users', 'email = "race@example.com"'), 1)
    assert.equal(await countOf('profiles', 'displayName = "Race"'), 1)
  })

  test('sends no field that was not asked for', async () => {
    const extra = { role: 'admin', verified: true, id: 'a'.repeat(15), emailVisibility: true }
    const profile = { displayName: 'E', user: 'somebody', ...extra }
    const input = { email: 'extra@example.com', password: 'password12', profile, ...extra }
    const bodies: unknown[] = []
    await withStranger(
      (req, res) => {
        res.setHeader('Content-Type', 'application/json')
        if (req.method === 'GET') return void res.end('{}') // the report: our hooks are there
        void text(req).then((body) => {
          bodies.push(JSON.parse(body))
          return res.writeHead(400).end('{"status":400,"message":"","data":{}}')
        })
      },
      async (url) => {
        assert.equal((await clientOf(url).register(input, VISITOR)).kind, 'invalid')
      },
    )
    const { email, password } = input
    assert.deepEqual(bodies, [{ email, password, passwordConfirm: password, profile: { displayName: 'E' } }])
  })

  test('works without a profile where the configuration knows none', async () => {
    const result = await clientOf(server.url, { profile: false }).register(
      { email: 'plain@example.com', password: 'password12', profile: { displayName: 'ignored' } },
      VISITOR,
    )
    assert.ok(result.kind === 'ok')
    assert.equal(await countOf('profiles', `user = "${result.value.id}" && displayName = "plain"`), 1)
  })

  test('a user made in the dashboard gets role and profile too, and the profile goes with the user', async () => {
    const admin = await server.admin.client()
    const user = await admin.collection('users').create({
      email: 'made@example.com',
      password: 'password12',
      passwordConfirm: 'password12',
    })
    assert.equal(user['role'], 'user')
    assert.equal(await countOf('profiles', `user = "${user.id}" && displayName = "made"`), 1)
    await server.admin.deleteUser('made@example.com')
    assert.equal(await countOf('profiles', `user = "${user.id}"`), 0)
  })
})

describe("PocketBase's own API", () => {
  const account = { password: 'password12', passwordConfirm: 'password12', profile: { displayName: 'Mallory' } }

  test('gives no role to who registers with one', async () => {
    for (const extra of [{ role: 'admin' }, { 'role+': 'admin' }, { '+role': 'admin' }]) {
      const status = await request('POST', 'records', { ...account, email: 'mallory@example.com', ...extra })
      assert.equal(status, 400, JSON.stringify(extra))
    }
    assert.equal(await countOf('users', 'email = "mallory@example.com"'), 0)
  })

  test('lets nobody change their own role, an admin neither', async () => {
    const user = await newUser(pocketbase)
    const admin = await newUser(pocketbase)
    await server.admin.setRole(admin.email, 'admin')
    for (const [who, role] of [
      [user, 'user'],
      [admin, 'admin'],
    ] as const) {
      for (const body of [{ role: 'editor' }, { 'role+': 'editor' }, { 'role-': role }]) {
        const status = await request('PATCH', `records/${who.userId}`, body, who.token)
        assert.equal(status, 404, JSON.stringify(body))
      }
    }
    assert.equal(await countOf('users', `id = "${user.userId}" && role = "user"`), 1)
    assert.equal(await countOf('users', `id = "${admin.userId}" && role = "admin"`), 1)
  })

  test('lets an admin change the role of others, but neither their password nor their address', async () => {
    const user = await newUser(pocketbase)
    const admin = await newUser(pocketbase)
    await server.admin.setRole(admin.email, 'admin')
    const path = `records/${user.userId}`
    assert.equal(await request('PATCH', path, { role: 'editor' }, admin.token), 200)
    const stolen = { password: 'stolen-password', passwordConfirm: 'stolen-password' }
    assert.equal(await request('PATCH', path, stolen, admin.token), 400)
    assert.equal(await request('PATCH', path, { email: 'stolen@example.com' }, admin.token), 400)
    assert.equal(await request('PATCH', path, { verified: true }, admin.token), 400)
  })

  test('makes no second profile, and none for somebody else', async () => {
    const user = await newUser(pocketbase)
    const other = await newUser(pocketbase)
    for (const userId of [user.userId, other.userId]) {
      const response = await fetch(`${server.url}/api/collections/profiles/records`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Authorization: user.token },
        body: JSON.stringify({ user: userId, displayName: 'Second' }),
      })
      assert.equal(response.status, 400)
    }
    assert.equal(await countOf('profiles', 'displayName = "Second"'), 0)
  })
})
