// What an app of one's own does with the kit: counters, sessions of a user, events, signing in by a token.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import express from 'express'
import { startApp, type StartedApp } from '../support/app.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import type { Auth } from '../../server/create-auth.ts'

const PASSWORD = 'correct horse 1'
let pocketbase: TestPocketBase
let app: StartedApp

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({
    pocketbase: pocketbase.url,
    build: buildApp,
    store: createFaultyStore(),
    keepAtLogin: ['cart'],
  })
})
after(async () => {
  await app.close()
  await pocketbase.stop()
})

function buildApp(auth: Auth): express.Express {
  const own = express()
  own.use(auth.session(), auth.csrf())
  own.use('/auth', auth.routes())
  own.get('/token', (req, res) => res.json({ csrfToken: auth.csrfToken(req) }))
  own.post('/count', async (req, res) => {
    res.json({ count: await auth.updateSession<number>(req, 'count', (value) => (value ?? 0) + 1) })
  })
  own.get('/count', (req, res) => res.json({ count: Reflect.get(req.session, 'count') ?? null }))
  own.post('/fill-and-enter', express.json(), async (req, res) => {
    const { identity, password, fields } = req.body as { identity: string; password: string; fields: object }
    Object.assign(req.session, fields)
    await auth.signIn(req, { identity, password })
    res.json(req.session)
  })
  own.get('/fields', (req, res) => res.json(req.session))
  own.post('/by-token', express.json(), async (req, res) => {
    const { token } = req.body as { token: string }
    const user = await auth.signIn(req, { token })
    res.json({ id: user.id, same: req.user?.id === user.id })
  })
  own.use(auth.errorHandler())
  return own
}

describe('auth.updateSession', () => {
  it('counts every one of 50 requests at once, each with a number of its own', async () => {
    const browser = app.browser()
    await browser.register('counter@example.com', PASSWORD)
    await browser.csrfToken()
    const answers = await Promise.all(Array.from({ length: 50 }, () => browser.json('/count')))
    const counts = answers.map((answer) => Number(answer.json()['count'])).toSorted((a, b) => a - b)
    assert.deepEqual(
      counts,
      Array.from({ length: 50 }, (_, index) => index + 1),
    )
    assert.equal((await browser.get('/count')).json()['count'], 50)
  })

  it('starts a session for a visitor who has none', async () => {
    const browser = app.browser()
    const first = await browser.json('/count')
    assert.equal(first.json()['count'], 1, first.text)
    assert.equal((await browser.json('/count')).json()['count'], 2)
  })
})

describe('auth.sessions', () => {
  it('lists the sessions of a user without anything that opens them, and ends one or all', async () => {
    const [one, two] = [app.browser(), app.browser()]
    const registered = await one.register('devices@example.com', PASSWORD)
    const { id: userId } = registered.json()['user'] as { id: string }
    await two.login('devices@example.com', PASSWORD)
    const listed = await app.auth.sessions.listByUser(userId)
    assert.equal(listed.length, 2)
    const cookies = [one, two].map((browser) => browser.cookies.get(app.services.config.cookie.name)?.value ?? 'none')
    assert.equal(JSON.stringify(listed).match(/key|fields|token/), null)
    for (const cookie of cookies) assert.equal(JSON.stringify(listed).includes(cookie.slice(4, 30)), false)
    const current = (await two.get('/auth/status')).json()['session'] as { id: string }
    assert.equal(await app.auth.sessions.end(userId, current.id), 1)
    assert.equal(await app.auth.sessions.end('somebody-else', listed[0]?.id ?? ''), 0)
    const status = (await two.get('/auth/status')).json()
    assert.deepEqual([status['authenticated'], status['reason']], [false, 'admin_revoked'])
    assert.equal((await one.get('/auth/status')).json()['authenticated'], true)
    assert.equal(await app.auth.sessions.endByUser(userId), 1)
    assert.equal((await one.get('/auth/status')).json()['authenticated'], false)
  })
})

describe('auth.signIn', () => {
  it('takes a token that the app got from PocketBase, and refuses one that is none', async () => {
    const browser = app.browser()
    await browser.register('token@example.com', PASSWORD)
    const response = await fetch(`${pocketbase.url}/api/collections/users/auth-with-password`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ identity: 'token@example.com', password: PASSWORD }),
    })
    const { token, record } = (await response.json()) as { token: string; record: { id: string } }
    const other = app.browser()
    assert.deepEqual((await other.json('/by-token', { token })).json(), { id: record.id, same: true })
    assert.equal((await other.get('/auth/status')).json()['authenticated'], true)
    const refused = await app.browser().json('/by-token', { token: `${token}x` })
    assert.deepEqual([refused.status, refused.json()['code']], [401, 'invalid_credentials'])
  })
})

describe('auth.signIn in a handler that has filled req.session', () => {
  const fields = { cart: ['tea'], role: 'admin' }

  it('keeps the fields named by keepAtLogin, and no others, with or without a session before', async () => {
    await app.browser().register('cart@example.com', PASSWORD)
    const credentials = { identity: 'cart@example.com', password: PASSWORD }
    const stranger = app.browser()
    assert.deepEqual((await stranger.json('/fill-and-enter', { ...credentials, fields })).json()['cart'], ['tea'])
    const visitor = app.browser()
    await visitor.json('/count')
    await visitor.json('/fill-and-enter', { ...credentials, fields })
    for (const browser of [stranger, visitor]) {
      const { cookie: _, ...held } = (await browser.get('/fields')).json()
      assert.deepEqual(held, { cart: ['tea'] })
    }
  })

  it('hands nothing to another user', async () => {
    await app.browser().register('next@example.com', PASSWORD)
    const browser = app.browser()
    await browser.login('cart@example.com', PASSWORD)
    await browser.json('/fill-and-enter', { identity: 'next@example.com', password: PASSWORD, fields })
    const { cookie: _, ...held } = (await browser.get('/fields')).json()
    assert.deepEqual(held, {})
  })
})

describe('auth.events', () => {
  it('tell who signed in, without anything secret', async () => {
    const browser = app.browser()
    await browser.register('events@example.com', PASSWORD)
    app.events.length = 0
    await browser.login('events@example.com', PASSWORD)
    const names = app.events.map(({ name }) => name)
    assert.ok(names.includes('authn_login_success'), names.join())
    assert.doesNotMatch(JSON.stringify(app.events), /correct horse|eyJ/)
  })
})
