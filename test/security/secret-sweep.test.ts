// Everything that a whole run has sent, logged and stored is searched for secrets that were planted before.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import express, { type Express } from 'express'
import { createApp } from '../../server/app.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import { startApp, TEST_SECRET, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { runJourney, type Journey } from '../support/journey.ts'
import { startMailServer, type MailServer } from '../support/mail.ts'
import { newPerson } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { fieldsOf } from '../support/session-sites.ts'

/** How every token of PocketBase begins: `{"alg":`. */
const TOKEN_START = 'eyJhbGci'
const APP_DATA = 'canary-of-the-app-Vn3'

const folder = mkdtempSync(join(tmpdir(), 'secret-sweep-'))
/** Tokens of PocketBase as handlers of an app see them. */
const tokens: string[] = []
/** What an app might print of a request. */
const dumps: string[] = []
let mail: MailServer
let pocketbase: TestPocketBase
let app: StartedApp
let journey: Journey
let answers: readonly SeenAnswer[]
let stored: Buffer

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url })
  const store = `sqlite:${join(folder, 'sessions.db')}`
  app = await startApp({ pocketbase: pocketbase.url, store, build: withCuriousHandlers })
  journey = await runJourney({ app, mail, pocketbase })
  const person = await newPerson(app)
  for (const path of ['/note', '/token', '/dump', '/throws', '/rejects', '/throws-text']) await person.browser.get(path)
  await app.browser().get('/note')
  answers = [...journey.answers, ...person.browser.answers]
  stored = readStore()
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
  await mail?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Handlers of an app that keep something in the session, and throw what they should not. */
function withCuriousHandlers(auth: Auth, services: OwnedServices): Express {
  const host = express()
  host.use(auth.session())
  host.get('/note', (req, res) => {
    fieldsOf(req)['note'] = APP_DATA
    res.sendStatus(204)
  })
  host.get('/token', (req, res) => {
    tokens.push(req.auth?.pocketbase().authStore.token ?? '')
    res.sendStatus(204)
  })
  host.get('/dump', (req, res) => {
    for (const value of [req.session, req.auth, req.user, req.headers, { ...req.session }, { ...req.auth }]) {
      dumps.push(inspect(value, { depth: 10 }), JSON.stringify(value))
    }
    res.sendStatus(204)
  })
  host.get('/throws', (req) => {
    throw new Error(`bearer ${req.auth?.pocketbase().authStore.token} of ${req.sessionID} ${APP_DATA}`)
  })
  host.get('/rejects', async (req) => {
    await req.auth
      ?.pocketbase()
      .send('/api/nothing-here', { headers: { 'X-Canary': APP_DATA }, query: { a: APP_DATA } })
  })
  host.get('/throws-text', (req) => {
    throw Object.assign(new Error('x'), { detail: req.auth?.pocketbase().authStore.token, cause: req.sessionID })
  })
  host.use(createApp(services))
  host.use(auth.errorHandler())
  return host
}

/** The bytes of the database and its write-ahead log, as they are on the disk while the server runs. */
function readStore(): Buffer {
  return Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file))))
}

/** Ids of all sessions of the run, as their cookies brought them. */
function sessionIds(): readonly string[] {
  const { name } = app.services.config.cookie
  const values = answers.flatMap(({ cookies }) => cookies).filter((line) => line.startsWith(`${name}=s%3A`))
  return values.map((line) => /s%3A([\w-]+)\./.exec(line)?.[1] ?? '')
}

/** The parts of a token by which it would be known even where it was cut or taken apart. */
const partsOf = (token: string): readonly string[] => [token, ...token.split('.').slice(1)]

function sent(): readonly string[] {
  return answers.map((answer) => `${answer.path.split('?')[0]}\n${inspect(answer.headers)}\n${answer.text}`)
}

function assertNowhere(secrets: readonly string[], where: Readonly<Record<string, readonly string[]>>): void {
  assert.ok(secrets.length > 0 && secrets.every((secret) => secret.length >= 8), 'there is something to search for')
  for (const [place, texts] of Object.entries(where)) {
    for (const text of texts) {
      const found = secrets.find((secret) => text.includes(secret))
      assert.equal(found, undefined, `${place}: ${text.slice(0, 300)}`)
    }
  }
}

const bytes = (): readonly string[] => [stored.toString('latin1')]
const events = (): readonly string[] => app.events.map((event) => JSON.stringify(event))

describe('the run that is searched', () => {
  it('has seen every kind of answer, and wrote at every level', () => {
    const seen = new Set(answers.map(({ status }) => status))
    for (const status of [200, 201, 202, 204, 303, 400, 401, 403, 404, 405, 413, 415, 422, 500, 503]) {
      assert.ok(seen.has(status), String(status))
    }
    const levels = new Set(app.logs.map((line) => (JSON.parse(line) as { level: number }).level))
    assert.ok(
      [30, 40, 50].every((level) => levels.has(level)),
      [...levels].join(),
    )
    assert.ok(app.logs.length > 100 && answers.length > 100)
    assert.ok(stored.length > 4096 && stored.includes('SQLite format 3'))
  })
})

describe('nowhere in answers, pages, cookies, logs, events or the bytes of the database is', () => {
  const everywhere = () => ({ answers: sent(), logs: app.logs, events: events(), database: bytes(), dumps })

  it('a token of PocketBase', () => {
    assert.ok(tokens.every((token) => token.startsWith(TOKEN_START)))
    assertNowhere([TOKEN_START, ...tokens.flatMap(partsOf)], everywhere())
  })

  it('a token of a mail', () => {
    assertNowhere(journey.mailTokens.flatMap(partsOf), everywhere())
  })

  it('a password', () => {
    assertNowhere([...journey.passwords, pocketbase.superuser.password], everywhere())
    const encoded = journey.passwords.map((password) => Buffer.from(password).toString('base64').slice(0, 16))
    assertNowhere(encoded, everywhere())
  })

  it('the secret', () => {
    assertNowhere([TEST_SECRET], everywhere())
  })
})

describe('the id of a session is', () => {
  it('in its own Set-Cookie and nowhere else', () => {
    const ids = sessionIds()
    const withoutOwn = answers.map(({ headers, text, path }) => {
      const { 'set-cookie': _, ...others } = headers
      return `${path}\n${inspect(others)}\n${text}`
    })
    assertNowhere(ids, { answers: withoutOwn, logs: app.logs, events: events(), database: bytes(), dumps })
  })

  it('not among its handles', () => {
    const handles = app.events.map(({ event }) => String(event['session'] ?? ''))
    assert.ok(handles.some((handle) => handle.length === 22))
    assert.deepEqual(
      handles.filter((handle) => handle !== '' && sessionIds().some((id) => id.includes(handle))),
      [],
    )
  })
})

describe('the database shows', () => {
  it('no e-mail address, no name, no data of the app', () => {
    assertNowhere([...journey.emails, 'canary-ann', 'canary-bob', APP_DATA, 'displayName'], { database: bytes() })
  })

  it('no CSRF token', () => {
    assertNowhere(journey.csrfTokens, { database: bytes() })
  })
})

describe('the log shows', () => {
  it('no e-mail address, CSRF token or data of the app', () => {
    assertNowhere([...journey.emails, ...journey.csrfTokens, APP_DATA], { logs: app.logs, events: events() })
  })

  it('no password that stood in the place of a name', () => {
    assertNowhere(journey.misplaced, { logs: app.logs, events: events(), database: bytes() })
  })

  it('no query string', () => {
    assert.deepEqual(
      app.logs.filter((line) => /\?(?:token|q|user|notice)=/.test(line)),
      [],
    )
  })
})

describe('an answer shows', () => {
  it('nothing of the errors inside: no stack, no path of a file, no SQL, no text of an exception', () => {
    const inside =
      /\bat \S+ \(|\.ts:\d|node_modules|node:internal|SELECT |SQLITE|ClientResponseError|ECONNREFUSED|127\.0\.0\.1:\d+\/api/
    assert.deepEqual(
      answers.filter(({ text }) => inside.test(text)).map(({ path, text }) => [path, text.slice(0, 200)]),
      [],
    )
  })

  it('of an error the code and a plain sentence', () => {
    for (const path of ['/throws', '/rejects', '/throws-text']) {
      const answer = answers.find((each) => each.path === path)
      assert.equal(answer?.status, path === '/rejects' ? 404 : 500)
      assert.ok(!answer.text.includes(APP_DATA))
    }
  })

  it('no user record with fields that PocketBase hides', () => {
    const hidden = /"(?:tokenKey|passwordHash|lastResetSentAt|lastVerificationSentAt)"/
    assert.deepEqual(
      answers.filter(({ text }) => hidden.test(text)).map(({ path }) => path),
      [],
    )
  })
})
