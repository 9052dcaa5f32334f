// An answer never outruns its write, and a write that failed is no success, however the handler answers.

import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import expressSession from 'express-session'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import { createFailingStore } from '../../support/failing-store.ts'
import { createFaultyStore, type Fault } from '../../support/faulty-store.ts'
import { cookiesOf, startOurs, startStock, type OurSite } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'
import { mountKinds, RESPONSE_KINDS } from './response-kinds.ts'

const kinds = Object.entries(RESPONSE_KINDS)

/** Whether the write was done when the first byte of the answer came. */
function firstByte(origin: string, path: string, isWritten: () => boolean): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const req = request(new URL(path, origin), { agent: false }, (res) => {
      const written = isWritten()
      res
        .resume()
        .on('end', () => resolve(written))
        .on('error', reject)
    })
    req.on('error', reject).end()
  })
}

const ownCookies = (site: OurSite, cookies: readonly string[]): readonly string[] =>
  cookies.filter((line) => line.startsWith(`${site.web.services.config.cookie.name}=`))

for (const store of sessionStores) {
  describe(`on ${store.name}`, () => {
    for (const [name, kind] of kinds) {
      test(`${name} is answered whole, with one cookie of ours, and what it changed is there`, async (t) => {
        const site = await startOurs(t, { store: await store.open(t), build: mountKinds })
        const answer = await site.send(`/${encodeURIComponent(name)}`)
        assert.equal(answer.status, kind.status)
        if (kind.body instanceof RegExp) assert.match(answer.text, kind.body)
        else assert.ok(answer.text === kind.body, `${answer.text.length} characters`)
        assert.equal(ownCookies(site, answer.cookies).length, 1)
        assert.equal((await site.send('/seen', cookiesOf(answer))).json()['seen'], name)
      })
    }

    test('writeHead keeps the headers it is given, cookies included', async (t) => {
      const site = await startOurs(t, { store: await store.open(t), build: mountKinds })
      const byObject = await site.send('/writeHead%20with%20an%20object')
      assert.equal(byObject.headers['x-kind'], 'head')
      assert.ok(byObject.cookies.includes('other=1'))
      const byList = await site.send('/writeHead%20with%20a%20message%20and%20a%20list')
      assert.equal(byList.headers['x-kind'], 'list')
      for (const other of ['other=1', 'more=2']) assert.ok(byList.cookies.includes(other), other)
    })

    test('the callback of end is called', async (t) => {
      const ended = Promise.withResolvers<void>()
      const site = await startOurs(t, {
        store: await store.open(t),
        before: (app) => app.use((_req, res, next) => void next(void res.on('test:ended', ended.resolve))),
        build: mountKinds,
      })
      await site.send('/end%20with%20a%20callback')
      await ended.promise
    })

    test('HEAD is answered without a body, and its change is there', async (t) => {
      const site = await startOurs(t, { store: await store.open(t), build: mountKinds })
      const answer = await site.send('/json', { method: 'HEAD' })
      assert.equal(answer.status, 200)
      assert.equal(answer.text, '')
      assert.equal((await site.send('/seen', cookiesOf(answer))).json()['seen'], 'json')
    })
  })
}

describe('before the first byte', () => {
  for (const [name] of kinds) {
    test(`of ${name} the write is done`, async (t) => {
      let isWritten = false
      const inner = createMemoryStore()
      const noting = new Proxy(inner, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key)
          if (typeof value !== 'function') return value
          return (...args: readonly unknown[]): unknown => {
            isWritten ||= key === 'create'
            return Reflect.apply(value, target, args)
          }
        },
      })
      const site = await startOurs(t, { store: createFaultyStore(noting, { delayMs: 20 }), build: mountKinds })
      assert.equal(await firstByte(site.origin, `/${encodeURIComponent(name)}`, () => isWritten), true)
    })
  }

  for (const name of ['redirect', 'sendFile', 'write and end', 'an event stream']) {
    test(`of ${name} stock express-session has not written`, async (t) => {
      let isWritten = false
      class SlowStore extends expressSession.MemoryStore {
        override set(...[sid, session, callback]: Parameters<expressSession.MemoryStore['set']>): void {
          setTimeout(() => {
            isWritten = true
            super.set(sid, session, callback)
          }, 50)
        }
      }
      const site = await startStock(t, { build: mountKinds, store: new SlowStore() })
      assert.equal(await firstByte(site.origin, `/${encodeURIComponent(name)}`, () => isWritten), false)
    })
  }
})

describe('a write that fails', () => {
  const refused = async (site: OurSite, name: string): Promise<void> => {
    const answer = await site.send(`/${encodeURIComponent(name)}`)
    assert.equal(answer.status, 503)
    assert.deepEqual(answer.cookies, [])
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.json()['code'], 'store_unavailable')
    assert.equal(answer.headers['retry-after'], '5')
    for (const header of ['location', 'etag', 'last-modified', 'content-encoding']) {
      assert.equal(answer.headers[header], undefined, header)
    }
    const why = site.web.events.filter((event) => event.name === 'session_lost_write')
    assert.deepEqual(
      why.map(({ event }) => (event as { why: string }).why),
      ['store'],
    )
  }

  for (const [name] of kinds) {
    test(`at once makes a 503 of ${name}`, async (t) => {
      const store = createFailingStore(new Set(['create']))
      await refused(await startOurs(t, { store, build: mountKinds }), name)
    })

    const faults: readonly Fault[] = ['reject', 'hang', 'lose-answer', 'swallow-answer']
    for (const fault of faults) {
      test(`by ${fault} makes a 503 of ${name}`, async (t) => {
        const store = createFaultyStore()
        store.fault('create', fault)
        await refused(await startOurs(t, { store, build: mountKinds, options: { storeTimeoutMs: 50 } }), name)
      })
    }

    test(`is a success for stock express-session with ${name}`, async (t) => {
      class BrokenStore extends expressSession.MemoryStore {
        override set(...[, , callback]: Parameters<expressSession.MemoryStore['set']>): void {
          setTimeout(() => callback?.(new Error('full disk')), 5)
        }
      }
      const site = await startStock(t, { build: mountKinds, store: new BrokenStore() })
      const status = await site.send(`/${encodeURIComponent(name)}`).then(
        (answer) => answer.status,
        () => 'cut off after the success was sent',
      )
      assert.ok(status === RESPONSE_KINDS[name]?.status || typeof status === 'string', `${status}`)
    })
  }

  test('is a plain page for somebody who looks at pages', async (t) => {
    const site = await startOurs(t, { store: createFailingStore(new Set(['create'])), build: mountKinds })
    const answer = await site.send('/redirect', { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } })
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(answer.text, /^<!doctype html>.*cannot be reached/)
  })

  test('leaves an error alone that the handler has answered with by itself', async (t) => {
    const store = createFaultyStore()
    store.fault('create', 'reject')
    const site = await startOurs(t, {
      store,
      build: (app) =>
        app.get('/', (req, res) => {
          Object.assign(req.session, { x: 1 })
          req.session.save((error: unknown) => res.status(error ? 507 : 200).json({ own: true }))
        }),
    })
    const answer = await site.send('/')
    assert.equal(answer.status, 507)
    assert.deepEqual(answer.json(), { own: true })
    assert.deepEqual(answer.cookies, [])
  })

  test('is a 503 too where nobody waited for it', async (t) => {
    const store = createFaultyStore()
    const site = await startOurs(t, {
      store,
      build(app) {
        mountKinds(app)
        app.get('/bye', (req, res) => {
          req.session.destroy(() => {})
          res.json({ bye: true })
        })
      },
    })
    const login = await site.send('/json')
    store.fault('end', 'reject')
    const answer = await site.send('/bye', cookiesOf(login))
    assert.equal(answer.status, 503)
    assert.deepEqual(answer.cookies, [], 'the session lives on, so its cookie stays')
    store.heal()
    assert.equal((await site.send('/seen', cookiesOf(login))).json()['seen'], 'json')
  })
})
