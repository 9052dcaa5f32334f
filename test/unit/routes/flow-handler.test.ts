import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { FlowInput, Outcome } from '../../../server/controllers/flow.ts'
import { issueCsrfToken } from '../../../server/middleware/csrf-token.ts'
import { requestSession } from '../../../server/middleware/request-session.ts'
import { flowErrors } from '../../../server/routes/flow-errors.ts'
import { flowRouter } from '../../../server/routes/flow-router.ts'
import type { FlowRow } from '../../../server/routes/flow-row.ts'
import { createMemoryStore } from '../../../server/stores/memory.ts'
import type { Answer, Sent } from '../../support/http-client.ts'
import { startWeb, type Web, type WebOptions } from '../../support/web.ts'

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'text/html' }

interface Started {
  readonly web: Web
  readonly seen: FlowInput[]
}

/** One row whose flow looks at nothing and answers `outcome`. */
async function start(
  t: TestContext,
  change: Partial<FlowRow>,
  options: Partial<WebOptions> & { readonly outcome?: Outcome } = {},
): Promise<Started> {
  const seen: FlowInput[] = []
  const flow = async (input: FlowInput): Promise<Outcome> => {
    seen.push(input)
    return options.outcome ?? { status: 204 }
  }
  const rows: readonly FlowRow[] = [{ method: 'POST', path: '/do/:what', access: 'anyone', flow, ...change }]
  const web = await startWeb(t, {
    build: (app, services) => {
      app.get('/token', (req, res) => void res.send(issueCsrfToken(services, requestSession(req))))
      app.use('/auth', flowRouter(services, rows), flowErrors(services, rows))
    },
    ...options,
  })
  return { web, seen }
}

async function headersOf(web: Web, cookie: string): Promise<Readonly<Record<string, string>>> {
  const token = (await web.send('/token', { headers: { Cookie: cookie } })).text
  return { Cookie: cookie, Origin: web.origin, 'X-CSRF-Token': token }
}

async function ask(web: Web, cookie: string, sent: Sent = {}): Promise<Answer> {
  return web.send('/auth/do/this', {
    method: 'POST',
    ...sent,
    headers: { ...(await headersOf(web, cookie)), ...sent.headers },
  })
}

test('gives a flow what was sent: body, parameters, query', async (t) => {
  const { web, seen } = await start(t, {})
  const { cookie } = await web.anonymous()
  const headers = { ...(await headersOf(web, cookie)), 'Content-Type': 'application/json' }
  const answer = await web.send('/auth/do/that?q=1', { method: 'POST', headers, body: '{"a":{"b":1},"_csrf":"x"}' })
  assert.equal(answer.status, 204)
  const [input] = seen
  assert.deepEqual(input?.body, { a: { b: 1 }, _csrf: 'x' })
  assert.deepEqual(input?.params, { what: 'that' })
  assert.deepEqual({ ...input?.query }, { q: '1' })
  assert.equal(input?.form, false)
})

test('gives a flow the fields of a form: dotted names nested, our own fields taken out', async (t) => {
  const { web, seen } = await start(t, { form: { page: 'account', to: 'afterLogin' } })
  const { cookie } = await web.anonymous()
  const body = '_csrf=x&returnTo=%2F&profile.bio=Hi&profile.name=Ann&a.b.c=1&twice=1&twice=2&__proto__.x=1'
  assert.equal((await ask(web, cookie, { headers: FORM, body })).status, 303)
  const [input] = seen
  const sent = input?.body as Record<string, unknown>
  assert.deepEqual(Object.keys(sent).toSorted(), ['__proto__', 'a.b.c', 'profile', 'twice'])
  assert.deepEqual(sent['profile'], { bio: 'Hi', name: 'Ann' })
  assert.deepEqual(sent['twice'], ['1', '2'])
  assert.equal(Object.getPrototypeOf(sent), Object.prototype)
  assert.equal(input?.form, true)
})

for (const [access, role, status] of [
  ['anyone', null, 204],
  ['user', null, 401],
  ['fresh', null, 401],
  ['admin', null, 401],
  ['user', 'user', 204],
  ['fresh', 'user', 204],
  ['admin', 'user', 403],
  ['admin', 'admin', 204],
] as const) {
  test(`access ${access}: ${role ?? 'nobody'} gets ${status}, whatever the flow looks at`, async (t) => {
    const { web, seen } = await start(t, { access })
    const { cookie } = role === null ? await web.anonymous() : await web.signIn({ role })
    assert.equal((await ask(web, cookie)).status, status)
    assert.equal(seen.length, status === 204 ? 1 : 0)
  })
}

test('access fresh: an old proof is not enough, and a form shows its page again', async (t) => {
  const { web, seen } = await start(t, { access: 'fresh', form: { page: 'devices', to: 'afterLogin' } })
  const { cookie } = await web.signIn()
  web.clock.advance(web.services.config.session.freshForMs + 1)
  assert.equal((await ask(web, cookie)).json()['code'], 'reauth_required')
  const page = await ask(web, cookie, { headers: FORM, body: '' })
  assert.equal(page.status, 403)
  assert.match(page.text, /enter your password again/)
  assert.equal(seen.length, 0)
})

test('runs no flow where the store cannot be asked', async (t) => {
  const store = createMemoryStore()
  const { web, seen } = await start(t, {}, { store })
  const { cookie } = await web.anonymous()
  const headers = await headersOf(web, cookie)
  store.find = () => {
    throw new Error('store is down')
  }
  assert.equal((await web.send('/auth/do/this', { method: 'POST', headers })).status, 503)
  assert.equal(seen.length, 0)
})

test("answers a flow's outcome as JSON", async (t) => {
  const outcome: Outcome = { status: 201, body: { a: 1 }, notice: 'registered' }
  const { web } = await start(t, {}, { outcome })
  const answer = await ask(web, (await web.anonymous()).cookie)
  assert.equal(answer.status, 201)
  assert.equal(answer.text, '{"a":1}')
  assert.equal(answer.headers['content-type'], 'application/json')
})

test("shows the notice of a flow on our pages, and leaves it away on the app's", async (t) => {
  const { web } = await start(
    t,
    { form: { page: 'account', to: 'afterLogin' } },
    { outcome: { status: 204, notice: 'profile_saved', clearLink: true, clearSiteData: true } },
  )
  const { cookie } = await web.signIn()
  for (const [returnTo, location] of [
    ['', '/account?notice=profile_saved'],
    ['/devices', '/devices?notice=profile_saved'],
    ['/admin?user=u1#top', '/admin?user=u1&notice=profile_saved#top'],
    ['/reports', '/reports'],
  ] as const) {
    const answer = await ask(web, cookie, { headers: FORM, body: new URLSearchParams({ returnTo }).toString() })
    assert.equal(answer.headers.location, location)
    assert.equal(answer.headers['clear-site-data'], '"cache", "storage"')
    assert.ok(answer.cookies.some((line) => line.startsWith(`${web.services.config.cookie.linkName}=;`)))
  }
})
