// Two checks stand against forged requests. Here one of them is missing, and the other has to stop each attack by itself.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import express, { type Express, type RequestHandler } from 'express'
import { createApp } from '../../server/app.ts'
import { checkOrigin } from '../../server/middleware/check-origin.ts'
import { checkToken } from '../../server/middleware/check-token.ts'
import { requestSession } from '../../server/middleware/request-session.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import type { ProblemError } from '../../server/errors.ts'
import type { RequestSession } from '../../server/middleware/request-session.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { newPerson, type Person } from '../support/people.ts'

type Headers = Readonly<Record<string, string>>
type Check = (session: RequestSession) => Promise<ProblemError | null>

let app: StartedApp
let victim: Person
let changes = 0

before(async () => {
  app = await startApp({ build: withOneCheck })
  victim = await newPerson(app)
})

after(() => app?.close())

function only(check: Check): RequestHandler {
  return async (req, _res, next) => {
    const problem = await check(requestSession(req))
    if (problem !== null) throw problem
    next()
  }
}

/** The same change behind the first check alone, and behind the second alone. */
function withOneCheck(auth: Auth, services: OwnedServices): Express {
  const host = express()
  host.use(auth.session())
  const change: RequestHandler = (_req, res) => {
    changes += 1
    res.sendStatus(204)
  }
  host.post(
    '/only-origin',
    only(async (session) => checkOrigin(services, session)),
    change,
  )
  host.post(
    '/only-token',
    only((session) => checkToken(services, session, 'always')),
    change,
  )
  host.post(
    '/only-token-with-cookie',
    only((session) => checkToken(services, session, 'with-cookie')),
    change,
  )
  host.use(createApp(services))
  host.use(auth.errorHandler())
  return host
}

const FORM = { 'Content-Type': 'application/x-www-form-urlencoded' }

/** What a page of the attacker can make the victim's browser send: it cannot set headers, and knows no token. */
const attacks: Readonly<Record<string, (own: string) => Headers>> = {
  'a form on a foreign site': () => ({ ...FORM, Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }),
  'a form on a foreign site, in an old browser': () => ({ ...FORM, Origin: 'https://evil.test' }),
  'a form on a sibling subdomain, to which SameSite is no bar': (own) => ({
    ...FORM,
    Origin: own.replace('//', '//evil.'),
    'Sec-Fetch-Site': 'same-site',
  }),
  'a form on a sibling subdomain, in an old browser': (own) => ({ ...FORM, Origin: own.replace('//', '//evil.') }),
  'a form in a sandboxed frame': () => ({ ...FORM, Origin: 'null', 'Sec-Fetch-Site': 'cross-site' }),
  'a form in a browser that sends neither header': () => FORM,
  'a form of text/plain': () => ({ 'Content-Type': 'text/plain', Origin: 'https://evil.test' }),
  'a form of multipart': () => ({ 'Content-Type': 'multipart/form-data; boundary=x', Origin: 'null' }),
  'a beacon': () => ({
    'Content-Type': 'application/json',
    Origin: 'https://evil.test',
    'Sec-Fetch-Site': 'cross-site',
  }),
  'a request without a body': () => ({ Origin: 'https://evil.test', 'Sec-Fetch-Site': 'cross-site' }),
}

for (const path of ['/only-origin', '/only-token', '/only-token-with-cookie']) {
  describe(`behind ${path.slice(1)}`, () => {
    for (const [attack, headersOf] of Object.entries(attacks)) {
      it(`${attack} changes nothing`, async () => {
        const answer = await victim.browser.send(path, {
          method: 'POST',
          headers: headersOf(app.origin),
          body: '_csrf=x&a=b',
        })
        assert.equal(answer.status, 403)
        assert.equal(changes, 0)
      })
    }
  })
}

describe('the checks let our own pages pass, each by itself', () => {
  it('by origin', async () => {
    assert.equal(
      (await victim.browser.send('/only-origin', { method: 'POST', headers: { Origin: app.origin } })).status,
      204,
    )
    const headers = { 'Sec-Fetch-Site': 'same-origin' }
    assert.equal((await victim.browser.send('/only-origin', { method: 'POST', headers })).status, 204)
  })

  it('by token, in a header or in a form', async () => {
    const token = await victim.browser.csrfToken()
    const asHeader = { method: 'POST', headers: { 'X-CSRF-Token': token } }
    assert.equal((await victim.browser.send('/only-token', asHeader)).status, 204)
    const asField = { method: 'POST', headers: FORM, body: `_csrf=${token}` }
    assert.equal((await victim.browser.send('/only-token', asField)).status, 204)
  })
})
