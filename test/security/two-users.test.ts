// Many users at once, in one process and over one PocketBase: nobody ever gets an answer that was made for another.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import express, { type Express } from 'express'
import { createApp } from '../../server/app.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { anotherBrowser, NEW_PASSWORD, newPerson, PASSWORD, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { fieldsOf } from '../support/session-sites.ts'

const PEOPLE = 12
const ROUNDS = 25

let pocketbase: TestPocketBase
let app: StartedApp
let people: readonly Person[]

before(async () => {
  pocketbase = await startPocketBase()
  // Answers of the store come late, so that requests of different users interleave at every step.
  app = await startApp({
    pocketbase: pocketbase.url,
    store: createFaultyStore(undefined, { delayMs: 1 }),
    build: withOwnData,
  })
  people = await Promise.all(Array.from({ length: PEOPLE }, () => newPerson(app)))
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

function withOwnData(auth: Auth, services: OwnedServices): Express {
  const host = express()
  host.use(auth.session())
  host.get('/own', async (req, res) => {
    const fields = fieldsOf(req)
    const before = fields['mine'] ?? null
    fields['mine'] = req.user?.email
    // Asks PocketBase as this user, after others have got clients of their own.
    const sdk = req.auth?.pocketbase()
    await nextTurn()
    const record = await sdk?.collection('users').getFirstListItem('')
    await nextTurn()
    const seen = await sdk?.collection('users').authRefresh()
    res.json({ before, email: req.user?.email, record: record?.['email'], refreshed: seen?.record['email'] })
  })
  host.use(createApp(services))
  host.use(auth.errorHandler())
  return host
}

async function assertOwn({ browser, email, userId }: Person): Promise<void> {
  const others = people.filter((person) => person.email !== email)
  const status = await browser.get('/auth/status')
  const own = await browser.get('/own')
  const account = await browser.get('/account')
  const page = await browser.page('/account')
  assert.deepEqual((status.json() as { user: { id: string } }).user.id, userId)
  const { before, ...rest } = own.json()
  assert.deepEqual(rest, { email, record: email, refreshed: email })
  assert.ok(before === null || before === email)
  assert.equal((account.json() as { user: { email: string } }).user.email, email)
  assert.ok(page.text.includes(email))
  for (const { text, path } of [status, own, account, page]) {
    assert.ok(!others.some((other) => text.includes(other.email) || text.includes(other.userId)), path)
  }
}

describe('users at the same time', () => {
  it('each see themselves alone, in every answer', async () => {
    await Promise.all(
      people.map(async (person) => {
        for (let round = 0; round < ROUNDS; round++) await assertOwn(person)
      }),
    )
  })

  it('each see themselves alone while PocketBase confirms all of their sessions anew', async () => {
    app.clock.advance(60_000)
    await Promise.all(people.map(assertOwn))
    app.clock.advance(30_000)
    await Promise.all(people.map(assertOwn))
  })

  it('each keep their own, while half of them sign in, out and change their passwords', async () => {
    const [busy, calm] = [people.slice(0, PEOPLE / 2), people.slice(PEOPLE / 2)]
    await Promise.all([
      ...busy.map(async (person) => {
        const other = await anotherBrowser(app, person)
        const change = { currentPassword: PASSWORD, password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
        assert.equal((await other.json('/auth/password', change)).status, 204)
        const { user } = (await other.get('/auth/status')).json() as { user: { id: string } }
        assert.equal(user.id, person.userId)
        await other.json('/auth/logout')
      }),
      ...calm.map(async (person) => {
        for (let round = 0; round < 5; round++) await assertOwn(person)
      }),
    ])
    await Promise.all(calm.map(assertOwn))
  })

  it('each change their own profile', async () => {
    const calm = people.slice(PEOPLE / 2)
    const saved = await Promise.all(
      calm.map(({ browser, email }) => browser.json('/auth/profile', { bio: `of ${email}` }, { method: 'PATCH' })),
    )
    for (const [index, answer] of saved.entries()) {
      assert.deepEqual((answer.json() as { profile: { bio: string } }).profile.bio, `of ${calm[index]?.email}`)
    }
    const read = await Promise.all(calm.map(({ browser }) => browser.get('/account')))
    for (const [index, answer] of read.entries()) {
      assert.deepEqual((answer.json() as { profile: { bio: string } }).profile.bio, `of ${calm[index]?.email}`)
    }
  })
})

describe('one browser that changes its user', () => {
  it('carries nothing of the first over to the second', async () => {
    const [ann, bob] = [await newPerson(app), await newPerson(app)]
    await ann.browser.get('/own')
    assert.equal((await ann.browser.login(bob.email, PASSWORD)).status, 200)
    const { before, email } = (await ann.browser.get('/own')).json()
    assert.deepEqual([before, email], [null, bob.email])
  })
})
