// passport with its local strategy, on top of `req.session`.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import express, { type Express } from 'express'
import { Passport } from 'passport'
import { Strategy } from 'passport-local'
import { requestSession } from '../../../server/middleware/request-session.ts'
import { cookiesOf, fieldsOf, startOurs } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'
import { userRecord } from '../../support/web.ts'

const BOB = userRecord({ id: 'bob000000000001', email: 'bob@example.com' })
const form = { 'content-type': 'application/x-www-form-urlencoded' }

function build(app: Express): void {
  const passport = new Passport()
  passport.use(
    new Strategy((username, password, done) => {
      if (username === 'bob' && password === 'right') done(null, BOB)
      else done(null, false, { message: 'wrong' })
    }),
  )
  passport.serializeUser((user, done) => done(null, user.id))
  passport.deserializeUser((id: string, done) => done(null, id === BOB.id ? BOB : false))
  app.use(express.urlencoded({ extended: false }), passport.initialize(), passport.session())
  app.get('/cart', (req, res) => {
    fieldsOf(req)['cart'] = ['apple']
    res.json({})
  })
  for (const keepSessionInfo of [true, false]) {
    const options = { successRedirect: '/who', failureRedirect: '/failed', failureMessage: true, keepSessionInfo }
    app.post(`/login/${keepSessionInfo}`, passport.authenticate('local', options))
    app.post(`/logout/${keepSessionInfo}`, (req, res, next) =>
      req.logout({ keepSessionInfo }, (error: unknown) => (error === undefined ? res.redirect('/who') : next(error))),
    )
  }
  const messages = (req: express.Request): unknown => fieldsOf(req)['messages']
  app.get('/failed', (req, res) => res.status(401).json({ messages: messages(req) }))
  app.get('/who', (req, res) => {
    const { user } = req // whatever has signed in: passport or PocketBase
    res.json({ user: user?.id ?? null, ours: req.auth?.user.id ?? null, cart: fieldsOf(req)['cart'] ?? null })
  })
  app.get('/handle', (req, res) => res.json({ state: requestSession(req).state }))
}

for (const store of sessionStores) {
  describe(`passport-local on ${store.name}`, () => {
    for (const keep of [true, false]) {
      test(`signs in under a new id, ${keep ? 'keeping' : 'dropping'} the cart, and out again`, async (t) => {
        const site = await startOurs(t, { store: await store.open(t), build })
        const cart = await site.send('/cart')
        const { cookie } = cookiesOf(cart).headers
        const body = 'username=bob&password=right'
        const login = await site.send(`/login/${keep}`, { method: 'POST', headers: { ...form, cookie }, body })
        assert.equal(login.headers.location, '/who')
        assert.notEqual(cookiesOf(login).headers.cookie, cookie)

        const signedIn = (await site.send('/who', cookiesOf(login))).json()
        assert.deepEqual(signedIn, { user: BOB.id, ours: null, cart: keep ? ['apple'] : null })
        assert.deepEqual((await site.send('/handle', { headers: { cookie } })).json(), { state: 'ended' })

        const headers = cookiesOf(login).headers
        const logout = await site.send(`/logout/${keep}`, { method: 'POST', headers })
        assert.equal(logout.headers.location, '/who')
        assert.equal((await site.send('/who', cookiesOf(login))).json()['user'], null)
        const signedOut = (await site.send('/who', cookiesOf(login, logout))).json()
        assert.deepEqual(signedOut, { user: null, ours: null, cart: keep ? ['apple'] : null })
      })
    }

    test('keeps the message of a wrong password in the session', async (t) => {
      const site = await startOurs(t, { store: await store.open(t), build })
      const login = await site.send('/login/false', { method: 'POST', headers: form, body: 'username=bob&password=no' })
      assert.equal(login.headers.location, '/failed')
      const failed = await site.send('/failed', cookiesOf(login))
      assert.deepEqual(failed.json(), { messages: ['wrong'] })
    })

    test('passport assigns req.user in its own request; req.auth stays the session’s own', async (t) => {
      const site = await startOurs(t, { store: await store.open(t), build })
      const { cookie } = await site.web.signIn()
      const who = (await site.send('/who', { headers: { cookie } })).json()
      assert.deepEqual(who, { user: 'user00000000001', ours: 'user00000000001', cart: null })
    })
  })
}
