import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { anotherBrowser, newPerson, problem, stateOf, type Person } from '../../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../../support/pocketbase.ts'

let pocketbase: TestPocketBase
let app: StartedApp
let admin: Person

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({ pocketbase: pocketbase.url })
  admin = await newPerson(app, 'admin')
  await pocketbase.admin.setRole(admin.email, 'admin')
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

const DELETE = { method: 'DELETE' }

describe('the admin flows', () => {
  it('find a user by e-mail, and show what an administrator needs and no more', async () => {
    const person = await newPerson(app, 'findme')
    const answer = await admin.browser.get(`/auth/admin/users?q=${person.email}`)
    const user = { id: person.userId, email: person.email, roles: ['user'], verified: false }
    assert.deepEqual([answer.status, answer.json()], [200, { users: [user] }])
  })

  it('show the sessions of a user', async () => {
    const person = await newPerson(app)
    await anotherBrowser(app, person)
    const answer = await admin.browser.get(`/auth/admin/users/${person.userId}/sessions`)
    const { sessions } = answer.json() as { sessions: { id: string; current: boolean }[] }
    assert.deepEqual(
      sessions.map(({ current }) => current),
      [false, false],
    )
    assert.equal(problem(await admin.browser.get('/auth/admin/users/nobody000000000/sessions')), '404 not_found')
  })

  it('end one session, and only one that is of that user', async () => {
    const person = await newPerson(app)
    const stranger = await newPerson(app)
    const [row] = await app.services.sessions.listByUser(person.userId)
    assert.ok(row)
    const wrong = `/auth/admin/users/${stranger.userId}/sessions/${row.handle}`
    assert.equal(problem(await admin.browser.json(wrong, undefined, DELETE)), '404 not_found')
    const right = `/auth/admin/users/${person.userId}/sessions/${row.handle}`
    assert.equal((await admin.browser.json(right, undefined, DELETE)).status, 204)
    assert.equal(await stateOf(person.browser), 'admin_revoked')
    const seen = app.events.filter(({ name }) => name === 'authz_admin').at(-1)?.event
    assert.deepEqual([seen?.['userId'], seen?.['action'], seen?.['target']], [admin.userId, 'end_session', row.handle])
  })

  it('end all sessions of a user', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    const answer = await admin.browser.json(`/auth/admin/users/${person.userId}/sessions`, undefined, DELETE)
    assert.deepEqual([answer.status, answer.json()], [200, { ended: 2 }])
    assert.deepEqual([await stateOf(person.browser), await stateOf(other)], ['admin_revoked', 'admin_revoked'])
  })

  it('let no user in, and no administrator whose role was taken away a moment ago', async () => {
    const person = await newPerson(app)
    const paths = [`/auth/admin/users?q=x`, `/auth/admin/users/${admin.userId}/sessions`]
    for (const path of paths) {
      assert.equal(problem(await person.browser.get(path)), '403 forbidden')
      assert.equal(problem(await app.browser().get(path)), '401 unauthenticated')
    }
    const wrong = await person.browser.json(`/auth/admin/users/${admin.userId}/sessions`, undefined, DELETE)
    assert.equal(problem(wrong), '403 forbidden')
    const former = await newPerson(app)
    await pocketbase.admin.setRole(former.email, 'admin')
    assert.equal((await former.browser.get('/auth/admin/users?q=x')).status, 200)
    await pocketbase.admin.setRole(former.email, 'user')
    assert.equal(problem(await former.browser.get('/auth/admin/users?q=x')), '403 forbidden')
  })
})
