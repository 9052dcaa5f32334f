import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { inspect } from 'node:util'
import type { Request, Response } from 'express'
import { createFaultyStore } from '../../support/faulty-store.ts'
import { cookiesOf, fieldsOf, startOurs } from '../../support/session-sites.ts'

type Look = (req: Request) => unknown

/** Whether express-session has been started, seen from outside: it puts data in the place of the accessor. */
const isStarted = (req: Request): boolean => Object.getOwnPropertyDescriptor(req, 'session')?.get === undefined

const HARMLESS: Readonly<Record<string, Look>> = {
  "'session' in req": (req) => assert.equal('session' in req, true),
  'Object.keys': (req) => Object.keys(req),
  'a spread': (req) => ({ ...req }),
  'Object.assign': (req) => Object.assign({}, req),
  'util.inspect': (req) => inspect(req, { depth: 1 }),
  'util.inspect with hidden members': (req) => inspect(req, { depth: 0, showHidden: true }),
  'for in': (req) => {
    const seen: unknown[] = []
    for (const name in req) if (Object.hasOwn(req, name)) seen.push(Reflect.get(req, name))
  },
  'req.user and req.auth': (req) => [req.user, req.auth],
}
const STARTING: Readonly<Record<string, Look>> = {
  'req.session': (req) => req.session,
  'req.sessionID': (req) => req.sessionID,
  'req.sessionStore': (req) => req.sessionStore,
  destructuring: ({ session }) => session,
  'an assignment': (req) => Object.assign(req, { session: null }),
}

describe('req.session', () => {
  for (const [name, look] of Object.entries(HARMLESS)) {
    test(`is not started by ${name}`, async (t) => {
      const site = await startOurs(t, {
        build: (app) =>
          app.get('/', (req, res) => {
            look(req)
            res.json({ started: isStarted(req) })
          }),
      })
      assert.deepEqual((await site.send('/')).json(), { started: false })
    })
  }

  for (const [name, look] of Object.entries(STARTING)) {
    test(`is started by ${name}`, async (t) => {
      const site = await startOurs(t, {
        build: (app) =>
          app.get('/', (req, res) => {
            look(req)
            res.json({ started: isStarted(req) })
          }),
      })
      assert.deepEqual((await site.send('/')).json(), { started: true })
    })
  }

  test('can be touched first after an await, in an error handler, or while the arguments of the answer are made', async (t) => {
    const site = await startOurs(t, {
      store: createFaultyStore(),
      build(app) {
        app.get('/await', async (req, res) => {
          await new Promise((resolve) => setImmediate(resolve))
          fieldsOf(req)['x'] = 'await'
          res.json({})
        })
        app.get('/error', () => {
          throw new Error('on purpose')
        })
        app.use((_error: unknown, req: Request, res: Response, _next: unknown) => {
          fieldsOf(req)['x'] = 'error'
          res.json({})
        })
        app.get('/end', (req, res) => void res.end((fieldsOf(req)['x'] = 'end')))
        app.get('/write', (req, res) => {
          res.write((fieldsOf(req)['x'] = 'write'))
          res.end()
        })
        app.get('/writeHead', (req, res) => {
          res.writeHead(200, { 'X-X': (fieldsOf(req)['x'] = 'writeHead') })
          res.end()
        })
        app.get('/get', (req, res) => res.json({ x: fieldsOf(req)['x'] }))
      },
    })
    for (const path of ['await', 'error', 'end', 'write', 'writeHead']) {
      const answer = await site.send(`/${path}`)
      assert.equal(answer.cookies.length, 1, path)
      assert.deepEqual((await site.send('/get', cookiesOf(answer))).json(), { x: path })
    }
  })

  test('touched when all is over can be read, and nothing comes of it', async (t) => {
    const read = Promise.withResolvers<unknown>()
    const site = await startOurs(t, {
      build(app) {
        app.get('/set', (req, res) => res.json({ x: (fieldsOf(req)['x'] = 1) }))
        app.get('/', (req, res) => {
          res.on('finish', () => {
            read.resolve(fieldsOf(req)['x'])
            fieldsOf(req)['late'] = true
          })
          res.json({})
        })
        app.get('/get', (req, res) => res.json(Object.keys(fieldsOf(req))))
      },
    })
    const set = await site.send('/set')
    await site.send('/', cookiesOf(set))
    assert.equal(await read.promise, 1)
    assert.deepEqual(JSON.parse((await site.send('/get', cookiesOf(set))).text), ['x', 'cookie'])
  })

  test('stays away once it was deleted', async (t) => {
    const site = await startOurs(t, {
      build: (app) =>
        app.get('/', (req, res) => {
          assert.ok(req.session)
          Reflect.deleteProperty(req, 'session')
          res.json({ session: req.session ?? null, has: 'session' in req })
        }),
    })
    assert.deepEqual((await site.send('/')).json(), { session: null, has: false })
  })
})

test('what is assigned to req.user is read back in this request and kept nowhere', async (t) => {
  const site = await startOurs(t, {
    build(app) {
      app.get('/assign', (req, res) => {
        req.user = { id: 'theirs', collectionId: '', collectionName: '' }
        res.json({ user: req.user.id, auth: req.auth?.user.id })
      })
      app.get('/clear', (req, res) => {
        Object.assign(req, { user: null })
        res.json({ user: req.user, auth: req.auth?.user.id })
      })
      app.get('/', (req, res) => res.json({ user: req.user?.id, frozen: Object.isFrozen(req.user) }))
    },
  })
  const { cookie } = await site.web.signIn()
  const get = async (path: string) => (await site.send(path, { headers: { cookie } })).json()
  assert.deepEqual(await get('/assign'), { user: 'theirs', auth: 'user00000000001' })
  assert.deepEqual(await get('/clear'), { user: null, auth: 'user00000000001' })
  assert.deepEqual(await get('/'), { user: 'user00000000001', frozen: true })
})
