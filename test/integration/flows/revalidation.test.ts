import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { anotherBrowser, newPerson, problem, stateOf } from '../../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../../support/pocketbase.ts'

const MINUTE = 60_000

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

describe('following PocketBase', () => {
  it('sees a new role at the next check', async () => {
    const { browser, email } = await newPerson(app)
    await pocketbase.admin.setRole(email, 'editor')
    app.clock.advance(MINUTE)
    const { user } = (await browser.get('/auth/status')).json() as { user: Record<string, unknown> }
    assert.equal(user['role'], 'editor')
  })

  it('ends all sessions of a user whose password was changed in PocketBase itself', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    const stranger = await newPerson(app)
    await pocketbase.admin.updateUser(person.email, { password: 'set by admin', passwordConfirm: 'set by admin' })
    app.clock.advance(MINUTE)
    for (const browser of [person.browser, other]) {
      const answer = await browser.get('/auth/sessions')
      assert.deepEqual([problem(answer), answer.json()['reason']], ['401 session_expired', 'token_rejected'])
    }
    assert.equal(await stateOf(stranger.browser), 'signed in')
  })

  it('ends the sessions of a user who was deleted', async () => {
    const { browser, email } = await newPerson(app)
    await pocketbase.admin.deleteUser(email)
    app.clock.advance(MINUTE)
    assert.equal(problem(await browser.get('/auth/sessions')), '401 session_expired')
  })

  it('ends nothing during an outage, says so after ten minutes, and goes on afterwards', async () => {
    const { browser } = await newPerson(app)
    await pocketbase.kill()
    app.clock.advance(MINUTE)
    assert.equal((await browser.get('/auth/sessions')).status, 200)
    app.clock.advance(10 * MINUTE)
    assert.equal(problem(await browser.get('/auth/sessions')), '503 pocketbase_unavailable')
    await pocketbase.start()
    app.clock.advance(6000)
    assert.equal((await browser.get('/auth/sessions')).status, 200)
  })

  it('lets a role open nothing while PocketBase cannot be asked', async () => {
    const { browser, email } = await newPerson(app)
    await pocketbase.admin.setRole(email, 'admin')
    assert.equal((await browser.get('/auth/admin/users?q=x')).status, 200)
    await pocketbase.kill()
    assert.equal(problem(await browser.get('/auth/admin/users?q=x')), '503 pocketbase_unavailable')
    await pocketbase.start()
    app.clock.advance(6000)
    assert.equal((await browser.get('/auth/admin/users?q=x')).status, 200)
  })
})

describe('a changed rule of the collection', () => {
  it('ends the sessions of everybody whom it lets in no more', async () => {
    const { browser } = await newPerson(app)
    await pocketbase.admin.setAuthRule('verified = true')
    try {
      app.clock.advance(MINUTE)
      assert.equal(problem(await browser.get('/auth/sessions')), '401 session_expired')
    } finally {
      await pocketbase.admin.setAuthRule('')
    }
  })
})
