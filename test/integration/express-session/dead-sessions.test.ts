// A session that has ended stays dead, whatever a request does that had it in hands at the time.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Express, Request, Response } from 'express'
import { cookiesOf, fieldsOf, gate, startOurs, startStock, type Site } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

type Late = (req: Request, res: Response) => void

/** Ways in which a slow request may bring back what was ended while it ran. */
const LATE: Readonly<Record<string, Late>> = {
  'sets a field': (req, res) => {
    fieldsOf(req)['late'] = true
    res.json({})
  },
  'calls save': (req, res) => {
    fieldsOf(req)['late'] = true
    req.session.save((error: unknown) => res.status(error ? 401 : 200).json({}))
  },
  'regenerates and copies the fields': (req, res) => {
    const old = { ...fieldsOf(req) }
    req.session.regenerate(() => {
      Object.assign(fieldsOf(req), { user: old['user'] })
      res.json({})
    })
  },
}

function build(app: Express, late: Late, slow: ReturnType<typeof gate>): void {
  app.get('/login', (req, res) => {
    fieldsOf(req)['user'] = 'ann'
    res.json({})
  })
  app.get('/slow', async (req, res) => {
    assert.equal(fieldsOf(req)['user'], 'ann')
    await slow.arrive()
    late(req, res)
  })
  app.get('/logout', (req, res) => req.session.destroy(() => res.json({})))
  app.get('/who', (req, res) => res.json({ user: fieldsOf(req)['user'] ?? null }))
}

/** Signs in, lets a slow request begin, signs out, lets it end. Answers what it said and who the browser is afterwards. */
async function race(site: Site, slow: ReturnType<typeof gate>) {
  const login = await site.send('/login')
  const pending = site.send('/slow', cookiesOf(login))
  await slow.arrived(1)
  const logout = await site.send('/logout', cookiesOf(login))
  assert.equal(logout.status, 200)
  slow.open()
  const answer = await pending
  const users = [await site.send('/who', cookiesOf(login)), await site.send('/who', cookiesOf(login, answer))]
  return { answer, users: users.map((who) => who.json()['user']) }
}

for (const store of sessionStores) {
  describe(`on ${store.name}`, () => {
    for (const [name, late] of Object.entries(LATE)) {
      test(`a slow request that ${name} does not revive a session: 401, no cookie, nobody signed in`, async (t) => {
        const slow = gate()
        const site = await startOurs(t, { store: await store.open(t), build: (app) => build(app, late, slow) })
        const { answer, users } = await race(site, slow)
        assert.equal(answer.status, 401)
        assert.deepEqual(answer.cookies, [])
        assert.deepEqual(users, [null, null])
      })
    }

    test('the refusal names the reason, and the lost write is an event', async (t) => {
      const slow = gate()
      const late: Late = LATE['sets a field'] ?? assert.fail()
      const site = await startOurs(t, { store: await store.open(t), build: (app) => build(app, late, slow) })
      const { answer } = await race(site, slow)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(answer.json()['code'], 'session_expired')
      assert.equal(answer.json()['reason'], 'logout')
      const lost = site.web.events.filter(({ name }) => name === 'session_lost_write')
      assert.deepEqual(
        lost.map(({ event }) => (event as { why: string }).why),
        ['gone'],
      )
    })

    test('a slow request that only reads is answered as usual', async (t) => {
      const slow = gate()
      const site = await startOurs(t, {
        store: await store.open(t),
        build: (app) => build(app, (req, res) => res.json({ user: fieldsOf(req)['user'] }), slow),
      })
      const { answer, users } = await race(site, slow)
      assert.equal(answer.status, 200)
      assert.equal(answer.json()['user'], 'ann')
      assert.deepEqual(users, [null, null])
    })
  })
}

for (const [name, late] of Object.entries(LATE)) {
  test(`stock express-session revives a session for a slow request that ${name}`, async (t) => {
    const slow = gate()
    const site = await startStock(t, { build: (app) => build(app, late, slow) })
    const { users } = await race(site, slow)
    assert.ok(users.includes('ann'), 'stock has learnt to keep dead sessions dead: adapt these tests')
  })
}
