// The attacker writes into our log, or makes it unreadable, and wants to see in an answer what went wrong inside.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { after, before, beforeEach, describe, it } from 'node:test'
import express, { type Express } from 'express'
import { createApp } from '../../server/app.ts'
import { readableLines } from '../../server/cli/readable-lines.ts'
import type { Auth } from '../../server/create-auth.ts'
import type { OwnedServices } from '../../server/create-services.ts'
import { startApp, type StartedApp } from '../support/app.ts'
import { createFaultyStore, type FaultyStore } from '../support/faulty-store.ts'
import { newEmail, newPerson, PASSWORD } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { sendRaw } from '../support/raw-http.ts'

const MAX_LINE = 4096
/** C0 and C1 controls, line and paragraph separators, and what turns the direction of writing. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/

let pocketbase: TestPocketBase
let app: StartedApp

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({ pocketbase: pocketbase.url, trustProxy: 1 })
})

beforeEach(() => void app.logs.splice(0))

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

/** Every line is one JSON object, printable, of reasonable length; the same for a terminal. */
function assertReadable(lines: readonly string[]): void {
  assert.ok(lines.length > 0)
  const printed: string[] = []
  const terminal = readableLines((text) => void printed.push(text))
  for (const line of lines) {
    assert.ok(line.endsWith('}\n') && !UNPRINTABLE.test(line.slice(0, -1)), JSON.stringify(line))
    assert.ok(line.length < MAX_LINE, `${line.length} characters`)
    assert.equal(typeof (JSON.parse(line) as { msg: unknown }).msg, 'string')
    terminal.write(line)
  }
  // Colours are ours.
  const plain = printed.map((text) => text.replaceAll(/\u001b\[\d{1,2}m/g, ''))
  assert.deepEqual(
    plain.filter((text) => UNPRINTABLE.test(text)),
    [],
  )
}

const POISON: Readonly<Record<string, string>> = {
  'a line break': 'a\r\n{"level":30,"msg":"forged"}\r\n',
  'an ANSI sequence': '\u001b[2J\u001b[31mforged',
  'an ANSI sequence in one character': '\u009b2Jforged',
  'an operating system command': '\u001b]0;forged\u0007',
  'line separators': 'a\u2028forged\u2029forged\u0085forged',
  'the other direction of writing': '\u202egnp.exe',
  'a NUL and a DEL': 'a\u0000b\u007fc',
  quotes: `"}','"\\","level":60,"x":"`,
  'a format string': '%s%o%O%j%d${7*7}{{7*7}}<%= 7*7 %>',
  'half a character': '\ud800',
  '10 kB': 'x'.repeat(10_000),
}

describe('a line of the log stays one line that can be read', () => {
  for (const [what, poison] of Object.entries(POISON)) {
    it(`with ${what} in what was typed, in names of fields and in the query`, async () => {
      const browser = app.browser()
      await browser.login(`${poison}@example.com`, `${PASSWORD}${poison}`)
      await browser.login(newEmail(), PASSWORD, { [poison]: poison })
      await browser.register(`a${poison}b@example.com`, PASSWORD, { displayName: poison })
      await browser.json('/auth/password-reset', { email: poison })
      await browser.json('/auth/verification/confirm', { token: poison })
      await browser.get(
        `/login?${encodeURIComponent(poison.toWellFormed())}=${encodeURIComponent(poison.toWellFormed())}`,
      )
      await browser.get(`/${encodeURIComponent(poison.toWellFormed())}`.slice(0, 8000))
      await browser.json(`/auth/sessions/${encodeURIComponent(poison.toWellFormed()).slice(0, 4000)}`, undefined, {
        method: 'DELETE',
      })
      assertReadable(app.logs)
    })

    it(`with ${what} in raw bytes of the path and of headers`, async () => {
      const host = `Host: ${new URL(app.url).host}`
      const raw = Buffer.from(poison)
        .toString('latin1')
        .replaceAll(/[\r\n]/g, '')
      const inHeaders = [
        `User-Agent: ${raw}`,
        `Referer: ${raw}`,
        `X-Forwarded-For: ${raw}`,
        `Origin: ${raw}`,
        `Accept: ${raw}`,
        `Cookie: ${raw}`,
      ]
      await sendRaw(app.url, [`GET /${raw.replaceAll(/[\u0000-\u0020\u007f]/g, '')} HTTP/1.1`, host])
      for (const header of inHeaders)
        await sendRaw(app.url, ['POST /auth/logout HTTP/1.1', host, 'Content-Length: 0', header])
      await sendRaw(app.url, [`${raw} / HTTP/1.1`, host])
      await app.browser().get('/auth/status')
      assertReadable(app.logs)
    })
  }

  it('with all of it in what an app logs by itself', () => {
    for (const poison of Object.values(POISON)) {
      const short = poison.slice(0, 200)
      app.services.logger.info({ typed: short, err: new Error(short) }, `typed: ${short}`)
    }
    assertReadable(app.logs)
  })

  it('with such names of devices', async () => {
    const email = newEmail()
    for (const [index, poison] of Object.values(POISON).entries()) {
      const raw = Buffer.from(poison)
        .toString('latin1')
        .replaceAll(/[\u0000-\u001f\u007f]/g, '')
      const browser = app.browser({ 'User-Agent': `Mozilla/5.0 (${raw}) ${raw}`.slice(0, 8000) })
      const answer = index === 0 ? await browser.register(email, PASSWORD) : await browser.login(email, PASSWORD)
      assert.ok(answer.status < 300)
      const { sessions } = (await browser.get('/auth/sessions')).json() as { sessions: { device: string }[] }
      for (const { device } of sessions) assert.ok(device.length < 100 && !UNPRINTABLE.test(device), device)
    }
    assertReadable(app.logs)
  })
})

/** Texts that must not get out. */
const INSIDE = /canary|SELECT|sqlite|stack|\.ts|node_modules|at \/|Error:/i

describe('what went wrong inside stays inside', () => {
  let store: FaultyStore
  let hurt: StartedApp

  before(async () => {
    store = createFaultyStore(undefined, { delayMs: 0 })
    hurt = await startApp({ pocketbase: pocketbase.url, store, build: withBrokenHandlers })
  })
  after(() => hurt?.close())

  function withBrokenHandlers(auth: Auth, services: OwnedServices): Express {
    const host = express()
    host.use(auth.securityHeaders(), auth.session())
    host.get('/throws', () => {
      throw Object.assign(new Error('canary SELECT * FROM users'), {
        status: 418,
        expose: true,
        stack: 'canary at /srv/app.ts:1',
      })
    })
    host.get('/throws-text', () => {
      const careless: unknown = 'canary as a bare text'
      throw careless
    })
    host.get('/throws-nothing', () => Promise.reject(undefined as unknown as Error))
    host.get('/throws-late', (_req, res) => {
      res.write('half ')
      throw new Error('canary')
    })
    host.use(createApp(services))
    host.use(auth.errorHandler())
    return host
  }

  it('when a handler throws', async () => {
    for (const path of ['/throws', '/throws-text']) {
      for (const answer of [await hurt.browser().get(path), await hurt.browser().page(path)]) {
        assert.ok(answer.status >= 400, path)
        assert.doesNotMatch(answer.text, INSIDE)
        assert.doesNotMatch(JSON.stringify(answer.headers), INSIDE)
      }
    }
    await assert.rejects(hurt.browser().get('/throws-late'), 'an answer that has begun is broken off')
    assert.doesNotMatch(hurt.logs.join(''), /canary/)
    const described = hurt.logs.map((line) => JSON.parse(line) as { thrown?: { name?: string; frames?: string[] } })
    assert.ok(
      described.some(({ thrown }) => thrown?.name === 'Error' && thrown.frames?.length),
      'the operator learns where',
    )
  })

  it('when the store fails with its query in the text', async () => {
    const { browser } = await newPerson(hurt)
    store.fault('find', 'reject')
    for (const answer of [
      await browser.get('/account'),
      await browser.page('/account'),
      await browser.get('/auth/status'),
    ]) {
      assert.equal(answer.status, 503)
      assert.doesNotMatch(answer.text, /as the test told it to/)
    }
    store.heal()
  })

  it('when a listener of an event throws', async () => {
    hurt.auth.events.on('authn_login_fail', () => {
      throw new Error('canary of a listener')
    })
    const answer = await hurt.browser().login(newEmail(), PASSWORD)
    assert.equal(answer.status, 401)
    assert.doesNotMatch(answer.text, INSIDE)
  })

  it('when PocketBase, or something in its place, answers with its insides', async () => {
    const bodies: readonly (readonly [number, string, string])[] = [
      [500, 'application/json', '{"status":500,"message":"canary SELECT * FROM users","data":{}}'],
      [502, 'text/html', '<h1>canary</h1><script>alert(1)</script>'],
      [200, 'application/json', '{"token":"canary","record":{}}'],
      [200, 'text/html', 'canary'],
      [
        400,
        'application/json',
        '{"status":400,"message":"canary","data":{"email":{"code":"x","message":"canary <script>"}}}',
      ],
      [401, 'text/plain', 'canary'],
      [302, 'text/plain', 'canary'],
    ]
    let current = bodies[0]
    const upstream = createServer((_req, res) => {
      const [status, type, text] = current ?? [500, 'text/plain', '']
      res.writeHead(status, { 'Content-Type': type, Location: 'https://evil.test/' }).end(text)
    })
    const url = await listen(upstream)
    const odd = await startApp({ pocketbase: url })
    try {
      for (const body of bodies) {
        current = body
        for (const answer of [
          await odd.browser().login(newEmail(), PASSWORD),
          await odd.browser().form('/auth/login', { identity: newEmail(), password: PASSWORD }),
        ]) {
          assert.ok([401, 503].includes(answer.status), `${body[0]}: ${answer.status}`)
          assert.doesNotMatch(answer.text, /canary/)
          assert.deepEqual(
            answer.cookies.filter((line) => /session-\d+=s%3A/.test(line)),
            [],
          )
        }
      }
      assertReadable(odd.logs)
    } finally {
      await odd.close()
      upstream.close()
    }
  })
})

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP server has a port
}
