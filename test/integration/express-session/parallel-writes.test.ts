// Requests of one session that change different fields at the same time all win.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Express } from 'express'
import { requestSession } from '../../../server/middleware/request-session.ts'
import type { Services } from '../../../server/services.ts'
import type { Answer } from '../../support/http-client.ts'
import { cookiesOf, fieldsOf, gate, startOurs, startStock, type Site } from '../../support/session-sites.ts'
import { sessionStores } from '../../support/stores.ts'

const WRITERS = 100

/** `late`: where the second half of the writers waits. */
function build(app: Express, all: ReturnType<typeof gate>, late = all): void {
  app.get('/begin', (req, res) => {
    fieldsOf(req)['begun'] = true
    res.json({})
  })
  app.get('/put/:name', async (req, res) => {
    assert.equal(fieldsOf(req)['begun'], true)
    await (isLate(req.params.name) ? late : all).arrive()
    fieldsOf(req)[req.params.name] = true
    res.json({})
  })
  app.get('/names', (req, res) => res.json({ names: Object.keys(fieldsOf(req)).filter((name) => /^f\d/.test(name)) }))
}

const isLate = (name: string): boolean => Number(name.slice(1)) >= WRITERS / 2

function rotateOurs(app: Express, services: Services): void {
  app.get('/rotate', async (req, res) => {
    const session = requestSession(req)
    const { session: old } = session
    assert.ok(old)
    const base = { signedIn: null, remembered: false, device: '', ip: '' }
    const rotated = await services.sessions.replace(old, (current) => ({ ...base, data: current.data() }))
    assert.notEqual(rotated, 'gone')
    if (rotated !== 'gone') session.adopt(rotated)
    res.json({})
  })
}

function rotateStock(app: Express): void {
  app.get('/rotate', (req, res) => {
    const { cookie, ...fields } = fieldsOf(req)
    assert.ok(cookie)
    req.session.regenerate(() => {
      Object.assign(req.session, fields)
      res.json({})
    })
  })
}

async function write(site: Site, all: ReturnType<typeof gate>) {
  const begun = await site.send('/begin')
  const writing = Array.from({ length: WRITERS }, (_, index) => site.send(`/put/f${index}`, cookiesOf(begun)))
  await all.arrived(WRITERS)
  return { begun, writing: Promise.all(writing) }
}

const namesOf = async (site: Site, ...answers: readonly Answer[]): Promise<readonly unknown[]> =>
  (await site.send('/names', cookiesOf(...answers))).json()['names'] as readonly unknown[]

const accepted = (answers: readonly Answer[]): readonly string[] =>
  answers.flatMap(({ status }, index) => (status === 200 ? [`f${index}`] : []))

for (const store of sessionStores) {
  describe(`on ${store.name}`, () => {
    test(`${WRITERS} parallel writes of different fields all survive`, async (t) => {
      const all = gate()
      const site = await startOurs(t, { store: await store.open(t), build: (app) => build(app, all) })
      const { begun, writing } = await write(site, all)
      all.open()
      assert.equal(accepted(await writing).length, WRITERS)
      assert.equal((await namesOf(site, begun)).length, WRITERS)
    })

    test('while the session is rotated, what was answered with 200 survives, and what came late gets a 401', async (t) => {
      const [all, late] = [gate(), gate()]
      const site = await startOurs(t, {
        store: await store.open(t),
        build(app, services) {
          build(app, all, late)
          rotateOurs(app, services)
        },
      })
      const begun = await site.send('/begin')
      const writing = Array.from({ length: WRITERS }, (_, index) => site.send(`/put/f${index}`, cookiesOf(begun)))
      await Promise.all([all.arrived(WRITERS / 2), late.arrived(WRITERS / 2)])
      const rotating = site.send('/rotate', cookiesOf(begun))
      all.open()
      const rotated = await rotating
      late.open()
      const answers = await Promise.all(writing)
      assert.equal(rotated.status, 200)
      const names = new Set(await namesOf(site, begun, rotated))
      for (const name of accepted(answers)) assert.ok(names.has(name), `${name} was acknowledged and is lost`)
      for (const answer of answers) assert.deepEqual(answer.cookies, [])
      const statuses = answers.slice(WRITERS / 2).map(({ status }) => status)
      assert.deepEqual(new Set(statuses), new Set([401]))
    })
  })
}

test('stock express-session loses parallel writes', async (t) => {
  const all = gate()
  const site = await startStock(t, { build: (app) => build(app, all) })
  const { begun, writing } = await write(site, all)
  all.open()
  await writing
  assert.ok((await namesOf(site, begun)).length < WRITERS, 'stock has learnt to merge: adapt these tests')
})

test('stock express-session loses acknowledged writes when the session is rotated', async (t) => {
  const all = gate()
  const site = await startStock(t, {
    build(app) {
      build(app, all)
      rotateStock(app)
    },
  })
  const { begun, writing } = await write(site, all)
  const rotated = await site.send('/rotate', cookiesOf(begun))
  all.open()
  const answers = await writing
  const names = new Set(await namesOf(site, begun, rotated))
  assert.ok(accepted(answers).some((name) => !names.has(name)))
})
