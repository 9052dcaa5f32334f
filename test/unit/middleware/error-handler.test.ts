import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import express from 'express'
import { ConfigError, ProblemError, StoreUnavailableError, UsageError } from '../../../server/errors.ts'
import { errorHandler, notFound, type SendErrorPage } from '../../../server/middleware/error-handler.ts'
import { startWeb, type Web } from '../../support/web.ts'

const CANARY = 'hunter2_SECRET'
const HTML = { Accept: 'text/html' }

class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly code = 'E_QUERY'
  readonly response = { token: CANARY }
}

function leaking(): Error {
  const message = `select '${CANARY}'\n    at ${CANARY} (/tmp/x.js:1:1)`
  return new DatabaseError(message, { cause: new Error(`password ${CANARY}`) })
}

const THROWN: Readonly<Record<string, () => unknown>> = {
  error: leaking,
  text: () => CANARY,
  nothing: () => undefined,
  object: () => ({ message: CANARY, status: 'x' }),
  'http-error': () => Object.assign(new Error(CANARY), { status: 409, expose: true }),
  'server-error': () => Object.assign(new Error(CANARY), { status: 502 }),
  store: () => new StoreUnavailableError(leaking()),
  problem: () =>
    new ProblemError('invalid_input', 'Please check.', { errors: { email: 'Wrong.' }, cause: new Error(CANARY) }),
  expired: () => new ProblemError('session_expired', 'Ended.', { reason: 'revoked' }),
  usage: () => new UsageError('Mount this before that.'),
  options: () => new ConfigError(['these two differ']),
  signin: () => new ProblemError('unauthenticated', 'Please sign in.'),
}

const page: SendErrorPage = async (_services, { res }, name, { status, message }) => {
  res.status(status).type('html').send(`<h1>${name}</h1>${message}`)
}

function start(t: TestContext, sendPage: SendErrorPage = page): Promise<Web> {
  return startWeb(t, {
    before: (app) => app.disable('x-powered-by'),
    build: (app, services) => {
      app.use(express.json(), express.urlencoded({ extended: false }))
      app.get('/throws/:what', (req) => {
        // What is thrown is the test.
        throw THROWN[req.params.what]?.()
      })
      app.get('/rejects', () => Promise.reject(leaking()))
      app.get('/begun', (_req, res) => {
        res.setHeader('Content-Length', 100)
        res.write('half of ')
        throw leaking()
      })
      app.get('/param/:name', (_req, res) => void res.send('ok'))
      app.post('/body', (_req, res) => void res.send('ok'))
      app.use(notFound())
      app.use(errorHandler(services, sendPage))
    },
  })
}

test('tells a program what it may know of a problem, by RFC 9457', async (t) => {
  const web = await start(t)
  const answer = await web.send('/throws/problem')
  assert.equal(answer.status, 422)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.equal(answer.headers['cache-control'], 'no-store')
  assert.deepEqual(answer.json(), {
    type: 'about:blank',
    title: 'Unprocessable Entity',
    status: 422,
    detail: 'Please check.',
    code: 'invalid_input',
    errors: { email: 'Wrong.' },
  })
  assert.equal((await web.send('/throws/expired')).json()['reason'], 'revoked')
  assert.equal((await web.send('/throws/store')).headers['retry-after'], '5')
})

test('says nothing of what was thrown, neither in the answer nor in the log', async (t) => {
  const web = await start(t)
  for (const what of Object.keys(THROWN)) {
    for (const headers of [{}, HTML]) {
      const answer = await web.send(`/throws/${what}?token=${CANARY}`, { headers })
      // The address that was asked for comes back in the way to the login page alone.
      const { location, ...others } = answer.headers
      assert.equal(JSON.stringify(others).includes(CANARY), false, what)
      assert.equal(location !== undefined, headers === HTML && ['expired', 'signin'].includes(what), what)
      assert.equal(answer.text.includes(CANARY), false, what)
      assert.equal(/\n\s+at |\.ts:/.test(answer.text), false, what)
    }
  }
  assert.equal((await web.send(`/rejects?${CANARY}`)).status, 500)
  assert.ok(web.log.length > 0)
  assert.deepEqual(
    web.log.filter((line) => line.includes(CANARY)),
    [],
  )
})

test('logs a fault by name, code, method, path and stack frames', async (t) => {
  const web = await start(t)
  await web.send('/throws/error?x=1')
  const line = JSON.parse(web.log.at(-1) ?? '') as Record<string, unknown>
  assert.equal(line['path'], '/throws/error')
  assert.equal(line['method'], 'GET')
  assert.equal(line['code'], 'internal')
  const cause = line['thrown'] as { name: string; code: string; frames: string[] }
  assert.equal(cause.name, 'DatabaseError')
  assert.equal(cause.code, 'E_QUERY')
  assert.match(cause.frames[0] ?? '', /^at .*leaking.* \(.*error-handler\.test\.ts:\d+:\d+\)$/)
})

test('tells the log, and nobody else, what the developer has to change', async (t) => {
  const web = await start(t)
  for (const [what, text] of [
    ['usage', /"text":"Mount this before that\."/],
    ['options', /"text":"[^"]*these two differ"/],
  ] as const) {
    const answer = await web.send(`/throws/${what}`)
    assert.equal(answer.json()['code'], 'internal')
    assert.doesNotMatch(answer.text, /Mount|differ/)
    assert.match(web.log.at(-1) ?? '', text)
  }
})

test('takes the status of errors of others, not their text', async (t) => {
  const web = await start(t)
  for (const [path, status, code] of [
    ['/throws/http-error', 400, 'invalid_request'],
    ['/throws/server-error', 500, 'internal'],
    ['/throws/text', 500, 'internal'],
    ['/throws/object', 500, 'internal'],
    ['/param/%ff', 400, 'invalid_request'],
    ['/nowhere', 404, 'not_found'],
  ] as const) {
    const answer = await web.send(path)
    assert.equal(answer.status, status, path)
    assert.equal(answer.json()['code'], code, path)
  }
})

test('answers bodies that cannot be read', async (t) => {
  const web = await start(t)
  const JSON_TYPE = 'application/json'
  for (const [headers, body, status] of [
    [{ 'Content-Type': JSON_TYPE }, `{"a":"${CANARY}`, 400],
    [{ 'Content-Type': JSON_TYPE }, JSON.stringify({ a: 'x'.repeat(200_000) }), 413],
    [{ 'Content-Type': `${JSON_TYPE}; charset=klingon` }, '{}', 415],
    [{ 'Content-Type': JSON_TYPE, 'Content-Encoding': 'rot13' }, '{}', 415],
  ] as const) {
    const answer = await web.send('/body', { method: 'POST', headers, body })
    assert.equal(answer.status, status)
    assert.equal(answer.text.includes(CANARY), false)
    if (status === 400) assert.match(String(answer.json()['detail']), /not valid JSON/)
  }
})

test('shows page visitors a page, and those who are not signed in the way to the login page', async (t) => {
  const web = await start(t)
  assert.match((await web.send('/nowhere', { headers: HTML })).text, /^<h1>not-found<\/h1>/)
  const failed = await web.send('/throws/error', { headers: HTML })
  assert.equal(failed.status, 500)
  assert.match(failed.text, /^<h1>error<\/h1>/)
  assert.equal((await web.send('/throws/store', { headers: HTML })).headers['retry-after'], '5')
  assert.equal(
    (await web.send('/throws/signin', { headers: HTML })).headers.location,
    '/login?returnTo=%2Fthrows%2Fsignin',
  )
})

test('falls back to the problem where the page cannot be made', async (t) => {
  const web = await start(t, () => Promise.reject(new Error(CANARY)))
  const answer = await web.send('/nowhere', { headers: HTML })
  assert.equal(answer.status, 404)
  assert.equal(answer.json()['code'], 'not_found')
  assert.equal(web.log.join('').includes(CANARY), false)
})

test('breaks an answer off that has begun, so that nobody takes it for whole', async (t) => {
  const web = await start(t)
  await assert.rejects(web.send('/begun'), /aborted|socket hang up/)
})
