// What Express developers know of `req.session`: regenerate, save, destroy, reload, touch, cookie, and null.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Express, Request, Response } from 'express'
import { requestSession } from '../../../server/middleware/request-session.ts'
import { cookiesOf, fieldsOf, gate, startOurs, type OurSite } from '../../support/session-sites.ts'
import { sessionStores, type SessionStore } from '../../support/stores.ts'
import type { TestContext } from 'node:test'

const DAY = 86_400_000

type Handler = (req: Request, res: Response) => unknown

async function start(t: TestContext, store: SessionStore, handlers: Readonly<Record<string, Handler>>) {
  return startOurs(t, {
    store: await store.open(t),
    build(app: Express) {
      app.get('/set', (req, res) => {
        Object.assign(req.session, { a: 1, list: [1, 2], nested: { deep: [] } })
        res.json({ id: req.sessionID })
      })
      app.get('/get', (req, res) => {
        const { cookie, ...fields } = fieldsOf(req)
        res.json({ id: req.sessionID, fields, maxAge: (cookie as { originalMaxAge?: number }).originalMaxAge ?? null })
      })
      for (const [path, handler] of Object.entries(handlers)) app.get(`/${path}`, (req, res) => void handler(req, res))
    },
  })
}

const rows = async (site: OurSite): Promise<number> =>
  (await site.web.services.sessions.scan(null, 100)).sessions.filter(({ ended }) => ended === null).length

for (const store of sessionStores) {
  describe(`req.session on ${store.name}`, () => {
    test('comes back as it was left, field by field', async (t) => {
      const site = await start(t, store, {
        change: (req, res) => {
          const fields = fieldsOf(req)
          delete fields['a']
          ;(fields['nested'] as { deep: unknown[] }).deep.push('x')
          Object.assign(fields, { nothing: undefined, when: new Date(0), not: Number.NaN, nil: null })
          res.json({})
        },
      })
      const set = await site.send('/set')
      await site.send('/change', cookiesOf(set))
      const got = (await site.send('/get', cookiesOf(set))).json()
      const when = '1970-01-01T00:00:00.000Z'
      assert.deepEqual(got['fields'], { list: [1, 2], nested: { deep: ['x'] }, when, not: null, nil: null })
      assert.equal(got['id'], set.json()['id'])
    })

    test('is not written when it was only read, nor when an anonymous visitor leaves nothing in it', async (t) => {
      const site = await start(t, store, {
        'empty-save': (req, res) => req.session.save(() => res.json({})),
      })
      for (const path of ['/get', '/empty-save']) assert.deepEqual((await site.send(path)).cookies, [])
      assert.equal(await rows(site), 0)
      const set = await site.send('/set')
      const [{ version } = { version: 0 }] = (await site.web.services.sessions.scan(null, 1)).sessions
      assert.deepEqual((await site.send('/get', cookiesOf(set))).cookies, [])
      const [after] = (await site.web.services.sessions.scan(null, 1)).sessions
      assert.equal(after?.version, version)
    })

    test('regenerate drops the sign-in and the fields, and ends the old id in the step that writes the new', async (t) => {
      const site = await start(t, store, {
        regenerate: (req, res) =>
          req.session.regenerate(() => {
            fieldsOf(req)['b'] = 2
            res.json({ id: req.sessionID })
          }),
        user: (req, res) => res.json({ user: req.user ?? null }),
      })
      const { cookie, live } = await site.web.signIn()
      const answer = await site.send('/regenerate', { headers: { cookie } })
      assert.equal(answer.cookies.length, 1)
      assert.deepEqual((await site.send('/user', cookiesOf(answer))).json(), { user: null })
      const got = (await site.send('/get', cookiesOf(answer))).json()
      assert.deepEqual([got['id'], got['fields']], [answer.json()['id'], { b: 2 }])
      const old = await site.web.services.sessions.find(live.id)
      assert.equal(old?.ended?.reason, 'rotated')
      assert.equal(await rows(site), 1)
    })

    test('regenerate without a save leaves an empty session under the new id, as express-session does', async (t) => {
      const site = await start(t, store, { regenerate: (req, res) => req.session.regenerate(() => res.json({})) })
      const set = await site.send('/set')
      const answer = await site.send('/regenerate', cookiesOf(set))
      assert.deepEqual((await site.send('/get', cookiesOf(answer))).json()['fields'], {})
      assert.equal(await rows(site), 1)
    })

    test('regenerate for a visitor who leaves nothing makes no row', async (t) => {
      const site = await start(t, store, { regenerate: (req, res) => req.session.regenerate(() => res.json({})) })
      assert.deepEqual((await site.send('/regenerate')).cookies, [])
      assert.equal(await rows(site), 0)
    })

    test('destroy ends the row and clears the cookie with the attributes it was set with', async (t) => {
      const site = await start(t, store, {
        destroy: (req, res) =>
          req.session.destroy((error: unknown) => res.json({ error: error ?? null, gone: req.session === undefined })),
      })
      const set = await site.send('/set')
      const answer = await site.send('/destroy', cookiesOf(set))
      assert.deepEqual(answer.json(), { error: null, gone: true })
      const attributes = (line = ''): string[] =>
        line
          .split('; ')
          .slice(1)
          .filter((part) => !/^(Max-Age|Expires)=/.test(part))
      assert.equal(answer.cookies.length, 1)
      assert.deepEqual(attributes(answer.cookies[0]), attributes(set.cookies[0]))
      assert.match(answer.cookies[0] ?? '', /^[\w-]+=; .*Max-Age=0; Expires=Thu, 01 Jan 1970/)
      assert.equal(await rows(site), 0)
    })

    test('destroy does not clear the cookie of a session that somebody else has ended: it may be a newer one', async (t) => {
      const waiting = gate()
      const site = await start(t, store, {
        slow: async (req, res) => {
          assert.equal(fieldsOf(req)['a'], 1)
          await waiting.arrive()
          req.session.destroy(() => res.json({}))
        },
        destroy: (req, res) => req.session.destroy(() => res.json({})),
      })
      const set = await site.send('/set')
      const slow = site.send('/slow', cookiesOf(set))
      await waiting.arrived(1)
      await site.send('/destroy', cookiesOf(set))
      waiting.open()
      const answer = await slow
      assert.equal(answer.status, 200)
      assert.deepEqual(answer.cookies, [])
    })

    test('req.session = null keeps the row, as express-session does by default', async (t) => {
      const site = await start(t, store, {
        unset: (req, res) => {
          Object.assign(req, { session: null })
          res.json({})
        },
      })
      const set = await site.send('/set')
      assert.deepEqual((await site.send('/unset', cookiesOf(set))).cookies, [])
      const { fields } = (await site.send('/get', cookiesOf(set))).json() as { fields: { a: number } }
      assert.equal(fields.a, 1)
    })

    test('regenerate and then null still gives the old session up', async (t) => {
      const site = await start(t, store, {
        unset: (req, res) =>
          req.session.regenerate(() => {
            Object.assign(req, { session: null })
            res.json({})
          }),
      })
      const set = await site.send('/set')
      assert.match((await site.send('/unset', cookiesOf(set))).cookies[0] ?? '', /Max-Age=0/)
      assert.equal(await rows(site), 0)
    })

    test('reload drops what was not saved, and sees what others have', async (t) => {
      const waiting = gate()
      const site = await start(t, store, {
        reload: async (req, res) => {
          fieldsOf(req)['mine'] = 'unsaved'
          await waiting.arrive()
          req.session.reload((error: unknown) => {
            const { a, b, mine } = fieldsOf(req)
            assert.equal(requestSession(req).session?.record.version, 2)
            res.json({ error: error ?? null, a, b, mine })
          })
        },
        other: (req, res) => {
          fieldsOf(req)['b'] = 'theirs'
          res.json({})
        },
      })
      const set = await site.send('/set')
      const reloading = site.send('/reload', cookiesOf(set))
      await waiting.arrived(1)
      await site.send('/other', cookiesOf(set))
      waiting.open()
      assert.deepEqual((await reloading).json(), { error: null, a: 1, b: 'theirs' })
      const { fields } = (await site.send('/get', cookiesOf(set))).json() as { fields: object }
      assert.equal('mine' in fields, false)
    })

    test('a lifetime alone is kept and sent, and stretches the session up to its absolute deadline', async (t) => {
      const site = await start(t, store, {
        remember: (req, res) => {
          req.session.cookie.maxAge = DAY / 2
          res.json({})
        },
        'nearly-as-long': (req, res) => {
          req.session.cookie.maxAge = DAY / 2 + 300
          res.json({})
        },
        'for-ever': (req, res) => {
          req.session.cookie.maxAge = 1000 * DAY
          res.json({})
        },
        session: (req, res) => {
          req.session.cookie.expires = null
          res.json({})
        },
      })
      const set = await site.send('/set')
      assert.doesNotMatch(set.cookies[0] ?? '', /Max-Age/)
      const remembered = await site.send('/remember', cookiesOf(set))
      assert.match(remembered.cookies[0] ?? '', new RegExp(`Max-Age=${DAY / 2000};`))
      site.web.clock.advance(DAY / 2 - 1000)
      const later = await site.send('/get', cookiesOf(set))
      assert.equal(later.json()['maxAge'], DAY / 2)
      assert.deepEqual(later.cookies, [], 'nothing has changed')
      assert.deepEqual((await site.send('/nearly-as-long', cookiesOf(set))).cookies, [], 'less than a second')
      const forEver = await site.send('/for-ever', cookiesOf(set))
      assert.match(forEver.cookies[0] ?? '', new RegExp(`Max-Age=${DAY / 2000 + 1};`), 'up to the absolute deadline')
      assert.doesNotMatch((await site.send('/session', cookiesOf(set))).cookies[0] ?? '', /Max-Age/)
      site.web.clock.advance(DAY / 2 + 1000)
      assert.deepEqual((await site.send('/get', cookiesOf(set))).json()['fields'], {})
    })

    test('save without a change counts as a use', async (t) => {
      const site = await start(t, store, { save: (req, res) => req.session.save(() => res.json({})) })
      const set = await site.send('/set')
      const passive = { ...cookiesOf(set).headers, 'x-session-activity': 'passive' }
      site.web.clock.advance(3_600_000)
      await site.send('/save', { headers: passive })
      site.web.clock.advance(3_600_001)
      assert.deepEqual((await site.send('/get', { headers: passive })).json()['fields'], {
        a: 1,
        list: [1, 2],
        nested: { deep: [] },
      })
    })

    test('a store call with an id that was never given out makes no session', async (t) => {
      const site = await start(t, store, {
        plant: (req, res) =>
          req.sessionStore.set('x'.repeat(46), { cookie: req.session.cookie }, (error: unknown) =>
            res.json({ refused: error instanceof Error }),
          ),
        'plant-own': (req, res) =>
          req.sessionStore.set('x'.repeat(46), Object.assign(req.session, { planted: true }), (error: unknown) =>
            res.json({ refused: error instanceof Error }),
          ),
        destroy: (req, res) => req.session.destroy(() => res.json({})),
        lookup: (req, res) =>
          req.sessionStore.get('x'.repeat(46), (error: unknown, data: unknown) =>
            res.json({ error: error ?? null, data }),
          ),
      })
      assert.deepEqual((await site.send('/plant')).json(), { refused: true })
      const set = await site.send('/set')
      assert.deepEqual((await site.send('/plant-own', cookiesOf(set))).json(), { refused: true })
      await site.send('/destroy', cookiesOf(set))
      assert.deepEqual((await site.send('/lookup')).json(), { error: null, data: null })
      assert.equal(await rows(site), 0)
    })
  })
}
