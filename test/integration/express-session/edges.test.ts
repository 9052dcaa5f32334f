// What handlers do wrong, or late, or unlike others.

import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import express, { type Express, type Request, type Response } from 'express'
import expressSession from 'express-session'
import { requestSession } from '../../../server/middleware/request-session.ts'
import type { Store } from '../../../server/sessions/store.ts'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { cookiesOf, fieldsOf, listen, startOurs, startStock } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

type Handler = (req: Request, res: Response) => unknown

const set: Handler = (req, res) => {
  fieldsOf(req)['a'] = 1
  res.json({})
}
const get: Handler = (req, res) => {
  const { cookie, ...fields } = fieldsOf(req)
  assert.ok(cookie)
  res.json(fields)
}

function mount(app: Express, handlers: Readonly<Record<string, Handler>>): void {
  for (const [path, handler] of Object.entries({ set, get, ...handlers })) {
    app.all(`/${path}`, (req, res) => void handler(req, res))
  }
}

const start = (t: TestContext, store: Store, handlers: Readonly<Record<string, Handler>> = {}) =>
  startOurs(t, { store, build: (app) => mount(app, handlers), options: { storeTimeoutMs: 100 } })

for (const { name, open } of sessionStores) {
  describe(`on ${name}`, () => {
    for (const [what, value] of [
      ['an object', {}],
      ['a list', []],
      ['a text', 'x'],
    ] as const) {
      test(`${what} in the place of req.session is a 500, not a request that hangs`, async (t) => {
        const site = await start(t, await open(t), {
          replace: (req, res) => {
            Object.assign(req, { session: value })
            res.json({})
          },
        })
        const answer = await site.send('/replace')
        assert.equal(answer.status, 500)
        assert.deepEqual(answer.cookies, [])
        const lost = site.web.events.filter((event) => event.name === 'session_lost_write')
        assert.equal(lost.length, 1)
      })
    }

    test('names of the prototype do no harm, whoever sends them', async (t) => {
      const site = await startOurs(t, {
        store: await open(t),
        build(app) {
          app.use(express.json())
          mount(app, {
            assign: (req, res) => {
              Object.assign(req.session, req.body)
              res.json({})
            },
            own: (req, res) => {
              for (const [key, value] of Object.entries(req.body as object)) {
                Object.defineProperty(req.session, key, { value, enumerable: true, configurable: true, writable: true })
              }
              res.json({ polluted: 'admin' in {} })
            },
            admin: (req, res) => res.json({ admin: fieldsOf(req)['admin'] ?? null, polluted: 'admin' in {} }),
          })
        },
      })
      const headers = { 'content-type': 'application/json' }
      const body = '{"__proto__": {"admin": true}}'
      assert.equal((await site.send('/assign', { method: 'POST', headers, body })).status, 500)
      const own = await site.send('/own', {
        method: 'POST',
        headers,
        body: '{"__proto__": {"admin": true}, "constructor": {"admin": true}, "kept": 1}',
      })
      assert.deepEqual(own.json(), { polluted: false })
      assert.deepEqual((await site.send('/admin', cookiesOf(own))).json(), { admin: null, polluted: false })
      assert.deepEqual((await site.send('/get', cookiesOf(own))).json(), { kept: 1 })
      const { sessions } = site.web.services
      const reading = sessions.readCookie(cookiesOf(own).headers.cookie)
      const found = reading.state === 'valid' ? await sessions.find(reading.id) : undefined
      assert.deepEqual(Object.keys(found?.live?.data() ?? {}), ['kept'])
    })

    test('what a stream changes after its first byte is saved before its end', async (t) => {
      const site = await start(t, await open(t), {
        stream: async (req, res) => {
          fieldsOf(req)['begun'] = true
          res.write('a')
          await new Promise((resolve) => setImmediate(resolve))
          fieldsOf(req)['ended'] = true
          res.end('b')
        },
      })
      const answer = await site.send('/stream')
      assert.equal(answer.text, 'ab')
      assert.deepEqual((await site.send('/get', cookiesOf(answer))).json(), { begun: true, ended: true })
    })

    test('a first touch after the headers reads and writes a session that is there', async (t) => {
      const site = await start(t, await open(t), {
        late: (req, res) => {
          res.write('[')
          const { a } = fieldsOf(req)
          fieldsOf(req)['late'] = true
          res.end(`${String(a)}]`)
        },
      })
      const login = await site.send('/set')
      assert.equal((await site.send('/late', cookiesOf(login))).text, '[1]')
      assert.deepEqual((await site.send('/get', cookiesOf(login))).json(), { a: 1, late: true })
    })

    test('a session that begins after the headers is not written, since its cookie cannot be sent', async (t) => {
      const site = await start(t, await open(t), {
        late: (req, res) => {
          res.write('a')
          fieldsOf(req)['late'] = true
          res.end('b')
        },
      })
      const answer = await site.send('/late')
      assert.equal(answer.text, 'ab')
      assert.deepEqual((await site.web.services.sessions.scan(null, 10)).sessions, [])
      const lost = site.web.events.filter((event) => event.name === 'session_lost_write')
      assert.deepEqual(
        lost.map(({ event }) => (event as { why: string }).why),
        ['after_headers'],
      )
    })

    test('the cookie of a session that was rotated a moment ago makes no new session', async (t) => {
      const site = await start(t, await open(t), {
        rotate: (req, res) => req.session.regenerate(() => set(req, res)),
      })
      const login = await site.send('/set')
      await site.send('/rotate', cookiesOf(login))
      const late = await site.send('/set', cookiesOf(login))
      assert.equal(late.status, 401)
      assert.equal(late.json()['reason'], 'rotated')
      assert.deepEqual(late.cookies, [])
      assert.equal((await site.send('/get', cookiesOf(login))).status, 200, 'reading is allowed')
      site.web.clock.advance(60_001)
      assert.equal((await site.send('/set', cookiesOf(login))).cookies.length, 1)
    })

    test('a session that was adopted is what req.session reads from then on', async (t) => {
      const site = await startOurs(t, {
        store: await open(t),
        build: (app, { sessions }) =>
          mount(app, {
            adopt: async (req, res) => {
              fieldsOf(req)['before'] = true
              await new Promise((resolve) => req.session.reload(resolve)) // fails: there is no row yet
              const data = { adopted: true }
              const live = await sessions.create({ data, signedIn: null, remembered: false, device: '', ip: '' })
              requestSession(req).adopt(live)
              assert.equal(req.sessionID, live.id)
              fieldsOf(req)['after'] = true
              res.json({})
            },
            drop: async (req, res) => {
              const { session } = requestSession(req)
              assert.ok(session)
              assert.equal(fieldsOf(req)['adopted'], true)
              await sessions.end(session, 'logout')
              requestSession(req).drop('logout')
              assert.equal(fieldsOf(req)['adopted'], undefined)
              res.json({})
            },
          }),
      })
      const pre = site.web.services.config.cookie.preName
      const answer = await site.send('/adopt', { headers: { cookie: `${pre}=x` } })
      assert.equal(answer.cookies.length, 2)
      assert.equal(answer.cookies.filter((line) => line.startsWith(`${pre}=;`)).length, 1)
      assert.deepEqual((await site.send('/get', cookiesOf(answer))).json(), { adopted: true, after: true })
      const dropped = await site.send('/drop', cookiesOf(answer))
      assert.match(dropped.cookies.join(), /Max-Age=0/)
    })

    test('a session that is adopted makes up for a write that failed before', async (t) => {
      const site = await startOurs(t, {
        store: await open(t),
        build: (app, { sessions }) =>
          mount(app, {
            adopt: async (req, res) => {
              const { session } = requestSession(req)
              assert.ok(session)
              await sessions.end(session, 'revoked')
              fieldsOf(req)['b'] = 1
              const error = await new Promise((resolve) => req.session.save(resolve))
              assert.ok(error instanceof Error)
              const draft = { data: {}, signedIn: null, remembered: false, device: '', ip: '' }
              requestSession(req).adopt(await sessions.create(draft))
              res.json({})
            },
          }),
      })
      const login = await site.send('/set')
      const answer = await site.send('/adopt', cookiesOf(login))
      assert.equal(answer.status, 200)
      assert.equal(answer.cookies.length, 1)
    })

    test('two saves of a new session at once make one row', async (t) => {
      const site = await start(t, await open(t), {
        twice: async (req, res) => {
          const save = () => new Promise((resolve) => req.session.save(resolve))
          fieldsOf(req)['a'] = 1
          const first = save()
          fieldsOf(req)['b'] = 2
          const errors = await Promise.all([first, save()])
          assert.deepEqual(errors, [undefined, undefined])
          res.json({})
        },
      })
      const answer = await site.send('/twice')
      assert.equal(answer.status, 200)
      assert.deepEqual((await site.send('/get', cookiesOf(answer))).json(), { a: 1, b: 2 })
    })

    test('a new session has one cookie, also where two of the name were cleared in the same answer', async (t) => {
      const site = await start(t, await open(t))
      const { name } = site.web.services.config.cookie
      const answer = await site.send('/set', { headers: { cookie: `${name}=x; ${name}=y` } })
      assert.equal(answer.cookies.filter((line) => line.includes('; Path=/;')).length, 1)
      assert.match(answer.cookies.find((line) => line.includes('; Path=/;')) ?? '', /=s%3A/)
      assert.equal(answer.cookies.filter((line) => line.includes('; Path=/set')).length, 2)
    })

    test('a cookie of another handler does not displace ours, and ours is sent once however often it changes', async (t) => {
      const site = await start(t, await open(t), {
        many: (req, res) => {
          fieldsOf(req)['a'] = 1
          req.session.save(() =>
            req.session.regenerate(() => {
              fieldsOf(req)['b'] = 2
              req.session.save(() => res.setHeader('Set-Cookie', 'other=1').end())
            }),
          )
        },
      })
      const answer = await site.send('/many')
      assert.equal(answer.cookies.length, 2)
      assert.deepEqual((await site.send('/get', cookiesOf(answer))).json(), { b: 2 })
    })
  })
}

test('stock express-session throws out of the end of the answer, and out of that of the error page too', async (t) => {
  const thrown: unknown[] = []
  const site = await startStock(t, {
    build: (app) =>
      app.get('/', (req, res) => {
        Object.assign(req, { session: {} })
        for (let tries = 0; tries < 2; tries++) {
          try {
            res.json({})
          } catch (error) {
            thrown.push(error)
          }
        }
        res.destroy()
      }),
  })
  await assert.rejects(site.send('/'))
  assert.ok(thrown[0] instanceof TypeError)
})

test('a write that fails after the first byte is logged and an event, and the stream ends', async (t) => {
  const store = createFaultyStore()
  const site = await start(t, store, {
    stream: async (req, res) => {
      res.write(String(fieldsOf(req)['a']))
      fieldsOf(req)['b'] = 2
      await new Promise((resolve) => setImmediate(resolve))
      res.end('.')
    },
  })
  const login = await site.send('/set')
  store.fault('update', 'reject')
  const answer = await site.send('/stream', cookiesOf(login))
  assert.equal(answer.text, '1.')
  assert.match(site.web.log.join('\n'), /a session was not written/)
  const lost = site.web.events.filter((event) => event.name === 'session_lost_write')
  assert.deepEqual(
    lost.map(({ event }) => (event as { why: string }).why),
    ['after_headers'],
  )
})

test('a handler that goes on after its answer was refused harms nobody', async (t) => {
  const store = createFaultyStore()
  store.fault('create', 'reject')
  const done = Promise.withResolvers<boolean>()
  const site = await start(t, store, {
    stubborn: async (req, res) => {
      fieldsOf(req)['a'] = 1
      res.write('one')
      await new Promise((resolve) => res.once('finish', resolve))
      res.setHeader('X-Late', '1')
      done.resolve(res.write('two'))
      res.end('three')
    },
  })
  const answer = await site.send('/stubborn')
  assert.equal(answer.status, 503)
  assert.equal(answer.headers['x-late'], undefined)
  assert.equal(await done.promise, true)
})

test('what others do to an answer that waits is undone: it has been given', async (t) => {
  const site = await startOurs(t, {
    store: createFaultyStore(),
    build(app) {
      app.get('/', (req, res, next) => {
        fieldsOf(req)['a'] = 1
        res.status(201).json({ first: true })
        assert.equal(res.headersSent, true)
        assert.equal(res.writableEnded, true)
        res.statusCode = 404
        res.setHeader('X-Late', '1')
        res.end('not found')
        next()
      })
    },
  })
  const answer = await site.send('/')
  assert.equal(answer.status, 201)
  assert.deepEqual(answer.json(), { first: true })
  assert.equal(answer.headers['x-late'], undefined)
})

test('another layer that has made req.session keeps it', async (t) => {
  const site = await startOurs(t, {
    before: (app) =>
      app.use(
        expressSession({
          secret: 'theirs, not ours, but long enough',
          resave: false,
          saveUninitialized: false,
          name: 'theirs',
        }),
      ),
    build: (app) => mount(app, { who: (req, res) => res.json({ user: req.user?.id ?? null }) }),
  })
  const answer = await site.send('/set')
  assert.match(answer.cookies.join(), /^theirs=/)
  assert.deepEqual((await site.send('/get', cookiesOf(answer))).json(), { a: 1 })
  const { cookie } = await site.web.signIn()
  assert.deepEqual((await site.send('/who', { headers: { cookie } })).json(), { user: 'user00000000001' })
})

test('an app that is handed the request by another sees the same session', async (t) => {
  const inner = express()
  mount(inner, {})
  const foreign = express()
  mount(foreign, { who: (req, res) => res.json({ user: req.user?.id ?? null }) })
  const site = await startOurs(t, {
    build(app) {
      app.use('/inner', inner)
      app.use('/foreign', (req, res) => foreign(req, res))
      mount(app, {})
    },
  })
  const { cookie } = await site.web.signIn()
  await site.send('/inner/set', { headers: { cookie } })
  assert.deepEqual((await site.send('/foreign/get', { headers: { cookie } })).json(), { a: 1 })
  assert.deepEqual((await site.send('/foreign/who', { headers: { cookie } })).json(), { user: 'user00000000001' })
})

test('a handler of a plain express-session in the same process is not touched by ours', async (t) => {
  await start(t, createFaultyStore())
  const app = express()
  app.get('/', (req, res) => res.json({ has: 'session' in req || 'auth' in req }))
  const origin = await listen(t, app)
  assert.deepEqual(await (await fetch(origin)).json(), { has: false })
})
