import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { leadsTo, safeReturnTo } from '../../../server/lib/return-to.ts'

const ORIGIN = 'https://app.example.test'
const back = (value: unknown): string => safeReturnTo(value, ORIGIN, '/account')

const LEADS_AWAY: readonly unknown[] = [
  '//evil.test',
  '///evil.test',
  '/\\evil.test',
  '\\/evil.test',
  '\\\\evil.test',
  'https:evil.test',
  'https://evil.test',
  'https:/evil.test',
  'http://app.example.test/',
  'https://app.example.test@evil.test',
  'https://app.example.test.evil.test',
  '/%09/evil.test',
  '/%5cevil.test',
  '/%5Cevil.test',
  '/%2f/evil.test',
  '/%2Fevil.test',
  '/..//evil.test',
  '/a/../..//evil.test',
  '/.//evil.test',
  '/%2e%2e//evil.test',
  '/\t/evil.test',
  '/\n/evil.test',
  '\t//evil.test',
  ' //evil.test',
  '/\u00a0/evil.test',
  '/a%0d%0aSet-Cookie:x=1',
  '/a\r\nSet-Cookie: x=1',
  '/a\u0000',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,x',
  'account',
  './account',
  '?x',
  '#x',
  '',
  '@evil.test',
  `/${'a'.repeat(8192)}`,
  ['/account', '/devices'],
  ['/reports'],
  { toString: () => '/reports' },
  null,
  undefined,
  7,
]

for (const value of LEADS_AWAY) {
  test(`does not follow ${JSON.stringify(value)?.slice(0, 40) ?? 'nothing'}`, () => {
    assert.equal(back(value), '/account')
  })
}

for (const [value, expected] of [
  ['/', '/'],
  ['/reports', '/reports'],
  ['/reports?year=2026&next=%2Fx#top', '/reports?year=2026&next=%2Fx#top'],
  ['/a/../b', '/b'],
  ['/über', '/%C3%BCber'],
  ['/my%20file', '/my%20file'],
  ['/@evil.test', '/@evil.test'],
  ['/:evil.test', '/:evil.test'],
  ['/https://evil.test', '/https://evil.test'],
]) {
  test(`follows the path ${value}`, () => {
    assert.equal(back(value), expected)
  })
}

test('whatever comes in, a browser that follows the answer stays on the origin', () => {
  const piece = fc.constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2f',
    '%5c',
    '%09',
    '\t',
    '\n',
    '@',
    ':',
    '?',
    '#',
    'evil.test',
    'https',
  )
  const value = fc.array(fc.oneof(piece, fc.string()), { maxLength: 8 }).map((parts) => parts.join(''))
  fc.assert(
    fc.property(value, (text) => {
      const followed = new URL(back(text), `${ORIGIN}/auth/login`)
      assert.equal(followed.origin, ORIGIN)
      assert.equal(new URL(decodeURIComponentOnce(back(text)), ORIGIN).origin, ORIGIN)
    }),
    { numRuns: 2000 },
  )
})

test('knows the login page in the spellings that Express serves alike', () => {
  for (const target of ['/login', '/LOGIN', '/login/', '/login?a=1', '/login#x', '/login/x']) {
    assert.equal(leadsTo(target, '/login'), true, target)
  }
  assert.equal(leadsTo('/logins', '/login'), false)
  assert.equal(leadsTo('/authors', '/auth'), false)
})

/** As a proxy would that decodes a path once too often. */
function decodeURIComponentOnce(target: string): string {
  const [path = ''] = target.split(/[?#]/)
  try {
    return decodeURIComponent(path)
  } catch {
    return path // not decodable: passed on as it is
  }
}
