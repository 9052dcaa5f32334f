import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { fieldsOf, newPerson, problem, stateOf } from '../../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../../support/pocketbase.ts'

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

const PATCH = { method: 'PATCH' }

describe('PATCH /auth/profile', () => {
  it('changes the fields that were sent and answers the whole profile', async () => {
    const { browser } = await newPerson(app)
    const answer = await browser.json('/auth/profile', { bio: 'Likes tea' }, PATCH)
    assert.deepEqual([answer.status, answer.json()], [200, { profile: { displayName: 'Ann', bio: 'Likes tea' } }])
    const again = await browser.json('/auth/profile', { displayName: 'Anna' }, PATCH)
    assert.deepEqual(again.json(), { profile: { displayName: 'Anna', bio: 'Likes tea' } })
  })

  it('refuses what the app has not named, and changes nothing', async () => {
    const stranger = await newPerson(app)
    const { browser } = await newPerson(app)
    for (const more of [{ user: stranger.userId }, { role: 'admin' }, { verified: true }, { 'bio+': 'x' }]) {
      const answer = await browser.json('/auth/profile', { bio: 'changed', ...more }, PATCH)
      assert.equal(problem(answer), '422 invalid_input')
      assert.deepEqual(fieldsOf(answer), Object.keys(more))
    }
    const { profile } = (await browser.json('/auth/profile', {}, PATCH)).json() as { profile: Record<string, unknown> }
    assert.equal(profile['bio'], '')
  })

  it('says at its field what is of a wrong type or refused by PocketBase', async () => {
    const { browser } = await newPerson(app)
    assert.deepEqual(fieldsOf(await browser.json('/auth/profile', { bio: 7 }, PATCH)), ['bio'])
    assert.deepEqual(fieldsOf(await browser.json('/auth/profile', { displayName: '' }, PATCH)), ['displayName'])
  })

  it('takes a form', async () => {
    const { browser } = await newPerson(app)
    const answer = await browser.form('/auth/profile', { displayName: 'Anna', bio: '' })
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/account'])
    assert.match((await browser.page('/account')).text, /Anna/)
  })

  it('is for signed-in users', async () => {
    assert.equal(problem(await app.browser().json('/auth/profile', { bio: 'x' }, PATCH)), '401 unauthenticated')
  })

  it('ends a session whose token PocketBase does not take any more, and does not call it a wrong field', async () => {
    const person = await newPerson(app)
    await pocketbase.admin.rotateTokenKey(person.email)
    assert.equal(problem(await person.browser.json('/auth/profile', { bio: 'x' }, PATCH)), '401 session_expired')
    assert.equal(await stateOf(person.browser), null)
  })

  it('is not found where the app has no profiles', async () => {
    const bare = await startApp({ pocketbase: pocketbase.url, profile: false })
    try {
      const { email, password } = await newPerson(app)
      const browser = bare.browser()
      await browser.login(email, password)
      assert.equal(problem(await browser.json('/auth/profile', {}, PATCH)), '404 not_found')
    } finally {
      await bare.close()
    }
  })
})
