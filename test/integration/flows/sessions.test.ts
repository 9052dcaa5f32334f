import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import type { BrowserClient } from '../../support/browser-client.ts'
import { anotherBrowser, newPerson, problem, sessionCookie, stateOf } from '../../support/people.ts'

interface Listed {
  readonly id: string
  readonly current: boolean
  readonly device: string
  readonly ip: string
}

let app: StartedApp

before(async () => {
  app = await startApp()
})

after(() => app?.close())

async function list(browser: BrowserClient): Promise<readonly Listed[]> {
  return ((await browser.get('/auth/sessions')).json() as { sessions: Listed[] }).sessions
}

async function handleOf(browser: BrowserClient): Promise<string> {
  const own = (await list(browser)).find(({ current }) => current)
  assert.ok(own)
  return own.id
}

const revoke = (browser: BrowserClient, id: string) =>
  browser.json(`/auth/sessions/${id}`, undefined, { method: 'DELETE' })

describe('GET /auth/sessions', () => {
  it('lists the sessions of the user, newest first, and says which one asks', async () => {
    const person = await newPerson(app)
    app.clock.advance(1000)
    const other = await anotherBrowser(app, person)
    await newPerson(app)
    const sessions = await list(other)
    assert.deepEqual(
      sessions.map(({ current }) => current),
      [true, false],
    )
    assert.deepEqual([sessions[0]?.device, sessions[0]?.ip], ['Firefox on Linux', '127.0.0.0'])
  })

  it('shows nothing by which a session could be taken over', async () => {
    const { browser, userId } = await newPerson(app)
    const answer = await browser.get('/auth/sessions')
    const [entry] = (answer.json() as { sessions: object[] }).sessions
    assert.deepEqual(Object.keys(entry ?? {}).toSorted(), [
      'amr',
      'createdAt',
      'current',
      'device',
      'expiresAt',
      'id',
      'ip',
      'lastSeenAt',
    ])
    const [row] = await app.services.sessions.listByUser(userId)
    assert.ok(row && !answer.text.includes(row.key))
    assert.ok(!answer.text.includes(sessionCookie(browser)?.slice(4, 40) ?? '?'))
  })

  it('is for signed-in users', async () => {
    assert.equal(problem(await app.browser().get('/auth/sessions')), '401 unauthenticated')
  })
})

describe('DELETE /auth/sessions/:id', () => {
  it('ends another session of the user at once', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    const answer = await revoke(person.browser, await handleOf(other))
    assert.deepEqual([answer.status, answer.text], [204, ''])
    assert.equal(await stateOf(other), 'revoked')
    assert.equal(await stateOf(person.browser), 'signed in')
  })

  it('says the same of a session of somebody else and of none at all', async () => {
    const person = await newPerson(app)
    const stranger = await newPerson(app)
    const answers = [
      await revoke(person.browser, await handleOf(stranger.browser)),
      await revoke(person.browser, 'A'.repeat(22)),
      await revoke(person.browser, '%00'),
    ]
    for (const answer of answers) assert.deepEqual([problem(answer), answer.text], ['404 not_found', answers[0]?.text])
    assert.equal(await stateOf(stranger.browser), 'signed in')
  })

  it('asks for the password when the last time is more than ten minutes ago', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    const handle = await handleOf(other)
    app.clock.advance(10 * 60_000 + 1)
    assert.equal(problem(await revoke(person.browser, handle)), '403 reauth_required')
    assert.equal(await stateOf(other), 'signed in')
    await person.browser.json('/auth/reauthenticate', { password: person.password })
    assert.equal((await revoke(person.browser, handle)).status, 204)
  })

  it('is a logout for the session that asks, fresh or not', async () => {
    const { browser } = await newPerson(app)
    const handle = await handleOf(browser)
    app.clock.advance(11 * 60_000)
    const answer = await revoke(browser, handle)
    assert.deepEqual([answer.status, answer.headers['clear-site-data']], [204, '"cache", "storage"'])
    assert.equal(sessionCookie(browser), undefined)
  })

  it('takes a form', async () => {
    const person = await newPerson(app)
    const other = await anotherBrowser(app, person)
    const answer = await person.browser.form(`/auth/sessions/${await handleOf(other)}/revoke`, {})
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/devices'])
    assert.equal(await stateOf(other), 'revoked')
  })
})

describe('POST /auth/sessions/revoke-others', () => {
  it('ends all sessions of the user but the one that asks', async () => {
    const person = await newPerson(app)
    const others = [await anotherBrowser(app, person), await anotherBrowser(app, person)]
    const stranger = await newPerson(app)
    const answer = await person.browser.json('/auth/sessions/revoke-others')
    assert.deepEqual([answer.status, answer.json()], [200, { ended: 2 }])
    assert.deepEqual(await Promise.all(others.map(stateOf)), ['revoked', 'revoked'])
    assert.deepEqual([await stateOf(person.browser), await stateOf(stranger.browser)], ['signed in', 'signed in'])
  })

  it('asks for the password when the last time is more than ten minutes ago', async () => {
    const { browser } = await newPerson(app)
    app.clock.advance(10 * 60_000 + 1)
    assert.equal(problem(await browser.json('/auth/sessions/revoke-others')), '403 reauth_required')
  })
})
