import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { CookieReader, cookieValue, readCookie } from '../../../server/sessions/cookie.ts'
import { Secrets } from '../../../server/sessions/secrets.ts'
import { createSessionId, sessionKey, tagOf } from '../../../server/sessions/session-id.ts'

const require = createRequire(import.meta.url)
const expressSessionRequire = createRequire(require.resolve('express-session'))
const signature: { unsign(value: string, secret: string): string | false } = expressSessionRequire('cookie-signature')

const NEW = 'n'.repeat(40)
const OLD = 'o'.repeat(40)
const NAME = '__Host-Http-session'
const secrets = new Secrets([NEW])

function cookieOf(id = createSessionId(), by = secrets): { id: string; header: string; value: string } {
  const value = cookieValue(by, id)
  return { id, value, header: `${NAME}=${value}` }
}

describe('session cookie', () => {
  test('has the form of express-session and its signature', () => {
    const { id, value } = cookieOf()
    const plain = decodeURIComponent(value)
    assert.ok(plain.startsWith(`s:${id}.`))
    assert.equal(signature.unsign(plain.slice(2), NEW), id)
  })

  test('reads back the id, alone and among other cookies', () => {
    for (let i = 0; i < 200; i++) {
      const { id, header } = cookieOf()
      const expected = { state: 'valid', id, key: sessionKey(id), outdated: false }
      assert.partialDeepStrictEqual(readCookie(secrets, NAME, header), expected)
      assert.partialDeepStrictEqual(readCookie(secrets, NAME, `a=1; ${header}; x${header}; b=2`), expected)
    }
  })

  test('is absent without a cookie of exactly our name', () => {
    const { value } = cookieOf()
    for (const header of [
      undefined,
      '',
      'a=1',
      `x${NAME}=${value}`,
      `${NAME}x=${value}`,
      `${NAME.toLowerCase()}=${value}`,
    ]) {
      assert.equal(readCookie(secrets, NAME, header).state, 'absent', header)
    }
  })

  test('refuses two cookies of our name, in any order and even when equal', () => {
    const { header } = cookieOf()
    for (const both of [
      `${NAME}=evil; ${header}`,
      `${header}; ${NAME}=evil`,
      `${header}; ${header}`,
      `${header};${NAME}=`,
    ]) {
      assert.equal(readCookie(secrets, NAME, both).state, 'duplicate')
    }
  })

  test('refuses every change of a single character, cuts, additions and other spellings', () => {
    const { value } = cookieOf()
    const changed = [...value].map((char, i) => value.slice(0, i) + (char === 'A' ? 'B' : 'A') + value.slice(i + 1))
    const cut = [...value].map((_, i) => value.slice(0, i))
    const respelled = [
      decodeURIComponent(value),
      `"${value}"`,
      `${value} `,
      ` ${value}`,
      `${value}%20`,
      `${value}=`,
      value.toLowerCase(),
      value.replace('%3A', '%3a'),
      value.replace('s', '%73'),
      value.repeat(100),
      `j:${value}`,
    ]
    for (const bad of [...changed, ...cut, ...respelled]) {
      if (bad === value) continue
      assert.equal(readCookie(secrets, NAME, `${NAME}=${bad}`).state, 'invalid', bad)
    }
  })

  test('refuses an id signed with another secret', () => {
    assert.equal(readCookie(secrets, NAME, cookieOf(createSessionId(), new Secrets([OLD])).header).state, 'invalid')
  })

  test('accepts an older secret and says so; signs with the newest', () => {
    const { id, header } = cookieOf(createSessionId(), new Secrets([OLD]))
    const both = new Secrets([NEW, OLD])
    assert.partialDeepStrictEqual(readCookie(both, NAME, header), { state: 'valid', id, outdated: true })
    assert.equal(cookieValue(both, id), cookieValue(secrets, id))
  })
})

describe('cookie reader', () => {
  test('checks a well-signed header once, and every other one each time', () => {
    const reader = new CookieReader(secrets, NAME, 1_000_000)
    const { header } = cookieOf()
    assert.equal(reader.read(header), reader.read(header))
    assert.equal(reader.read(`${header}; a=1`).state, 'valid')
    assert.equal(reader.read(`${header}x`).state, 'invalid')
    assert.equal(reader.read(`${header}; ${header}`).state, 'duplicate')
    assert.equal(reader.read('a=1').state, 'absent')
  })

  test('keeps no more than it may, and nothing with 0 bytes', () => {
    const reader = new CookieReader(secrets, NAME, 20_000)
    const first = cookieOf().header
    const reading = reader.read(first)
    for (let i = 0; i < 100; i++) reader.read(cookieOf().header)
    assert.notEqual(reader.read(first), reading)
    const none = new CookieReader(secrets, NAME, 0)
    assert.notEqual(none.read(first), none.read(first))
  })
})

describe('session id', () => {
  test('has 256 random bits, is never the same, and spreads over its alphabet', () => {
    const ids = Array.from({ length: 20_000 }, () => createSessionId())
    assert.equal(new Set(ids).size, ids.length)
    assert.ok(ids.every((id) => /^[\w-]{46}$/.test(id)))
    const counts = new Map<string, number>()
    for (const id of ids) counts.set(id.charAt(10), (counts.get(id.charAt(10)) ?? 0) + 1)
    assert.equal(counts.size, 64)
    const expected = ids.length / 64
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    assert.ok(chiSquare < 140, `χ² of 63 degrees of freedom is ${chiSquare}`) // p < 1e-7
  })

  test('has a key that keeps its tag and not the id', () => {
    const id = createSessionId()
    const key = sessionKey(id)
    assert.equal(key.length, 46)
    assert.equal(tagOf(key), tagOf(id))
    assert.equal(key.includes(id.slice(3)), false)
    assert.equal(tagOf(createSessionId(tagOf(id))), tagOf(id))
  })
})
