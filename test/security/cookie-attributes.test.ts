// Every Set-Cookie of a whole run, over https and in development: where one attribute is missing, a script, a sibling or
// somebody on the way gets the cookie.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import { createFaultyStore } from '../support/faulty-store.ts'
import { runJourney, type Journey } from '../support/journey.ts'
import { startMailServer, type MailServer } from '../support/mail.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'

const HTTPS = 'https://app.example.test'
const PROXY = { Host: 'app.example.test', 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '198.51.100.7' }

interface Cookie {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
  readonly line: string
}

let mail: MailServer
let pocketbase: TestPocketBase

before(async () => {
  mail = await startMailServer()
  pocketbase = await startPocketBase({ smtpUrl: mail.url })
})

after(async () => {
  await pocketbase?.stop()
  await mail?.close()
})

function parse(line: string): Cookie {
  const [pair = '', ...attributes] = line.split('; ')
  const at = pair.indexOf('=')
  const entries = attributes.map((each) => {
    const [name = '', value = ''] = each.split('=')
    return [name, value] as const
  })
  return { name: pair.slice(0, at), value: pair.slice(at + 1), attributes: new Map(entries), line }
}

/** Attributes that decide which cookie it is and who gets it. */
const identity = ({ attributes }: Cookie): string =>
  [...attributes.entries()]
    .filter(([name]) => !['Max-Age', 'Expires'].includes(name))
    .map(([name, value]) => `${name}=${value}`)
    .toSorted((a, b) => a.localeCompare(b))
    .join('; ')

const sites = [
  {
    what: 'over https, in production',
    options: { production: true, origin: HTTPS, trustProxy: 1 },
    headers: PROXY,
    names: ['__Host-Http-session', '__Host-Http-pre', '__Host-Http-link'],
    attributes: 'HttpOnly=; Path=/; SameSite=Lax; Secure=',
  },
  {
    what: 'over https, with SameSite=Strict',
    options: { production: true, origin: HTTPS, trustProxy: 1, cookie: { sameSite: 'strict' } },
    headers: PROXY,
    names: ['__Host-Http-session', '__Host-Http-pre', '__Host-Http-link'],
    attributes: 'HttpOnly=; Path=/; SameSite=Strict; Secure=',
  },
  {
    what: 'in development, over plain http on this machine',
    options: {},
    headers: {},
    names: ['pocketbase-session-PORT', 'pocketbase-session-PORT-pre', 'pocketbase-session-PORT-link'],
    attributes: 'HttpOnly=; Path=/; SameSite=Lax',
  },
] as const

for (const { what, options, headers, names, attributes } of sites) {
  describe(`every cookie ${what}`, () => {
    let app: StartedApp
    let journey: Journey
    let cookies: readonly Cookie[]
    let session: string

    before(async () => {
      app = await startApp({
        pocketbase: pocketbase.url,
        store: createFaultyStore(undefined, { delayMs: 0 }),
        ...options,
      })
      journey = await runJourney({ app, mail, pocketbase, headers })
      cookies = journey.answers.flatMap((answer) => answer.cookies).map(parse)
      session = app.services.config.cookie.name
    })
    after(() => app?.close())

    it('is one of three, and all of them occur', () => {
      const port = new URL(app.url).port
      const found = new Set(cookies.map(({ name }) => name.replace(port, 'PORT')))
      assert.deepEqual(found, new Set(names))
    })

    it('has exactly the attributes that it must have, and no Domain', () => {
      for (const cookie of cookies.filter(({ name }) => name === session)) {
        if (isClearedElsewhere(cookie)) continue
        assert.equal(identity(cookie), attributes, cookie.line)
      }
      for (const { name, attributes: found, line } of cookies) {
        assert.ok(found.has('HttpOnly') && found.has('SameSite') && !found.has('Domain'), line)
        assert.equal(found.has('Secure'), app.origin.startsWith('https:'), line)
        if (name !== session) assert.equal(found.get('SameSite'), 'Lax', line)
      }
    })

    it('is set and cleared under the same attributes', () => {
      for (const name of new Set(cookies.map((cookie) => cookie.name))) {
        const own = cookies.filter((cookie) => cookie.name === name && !isClearedElsewhere(cookie))
        const cleared = own.filter(({ value }) => value === '')
        assert.ok(
          cleared.length > 0 && cleared.length < own.length,
          `${name}: ${cleared.length} of ${own.length} cleared`,
        )
        assert.equal(new Set(own.map(identity)).size, 1, name)
        for (const { attributes: found, line } of cleared) {
          assert.equal(found.get('Max-Age'), '0', line)
          assert.ok(Date.parse(found.get('Expires') ?? '') === 0, line)
        }
      }
    })

    it('of a session lasts as long as the browser, unless its user asked to be remembered', () => {
      const lifetimes = cookies
        .filter(({ name, value }) => name === session && value !== '')
        .map((cookie) => cookie.attributes.get('Max-Age'))
      assert.deepEqual(new Set(lifetimes), new Set([undefined, String(30 * 24 * 3600)]))
    })

    it('comes at most once under its name in an answer, and in no answer that may be cached', () => {
      for (const { cookies: lines, headers: sent, path } of journey.answers) {
        const plain = lines.map(parse).filter((cookie) => !isClearedElsewhere(cookie))
        assert.equal(new Set(plain.map(({ name }) => name)).size, plain.length, path)
        if (lines.length > 0) assert.match(String(sent['cache-control']), /no-store/, path)
      }
    })

    it('holds nothing that could be read: no JSON, no address, no token', () => {
      for (const { value } of cookies) {
        assert.match(value, /^[\w.%-]*$/)
        assert.doesNotMatch(Buffer.from(value, 'base64url').toString('latin1'), /canary|example\.com|\{"\w+":/)
      }
    })
  })
}

/** In development two cookies of one name are cleared at other paths too. */
function isClearedElsewhere({ value, attributes }: Cookie): boolean {
  return value === '' && attributes.get('Path') !== '/'
}
