import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import test from 'node:test'
import { wantsPage } from '../../../server/middleware/wants-page.ts'

const CHROMIUM = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'

const CASES: readonly (readonly [string, Readonly<Record<string, string>>, boolean])[] = [
  ['a browser that navigates', { accept: CHROMIUM, 'sec-fetch-mode': 'navigate' }, true],
  ['a browser that says nothing about its mode', { accept: CHROMIUM }, true],
  ['text/html with a parameter, in capitals', { accept: 'application/json, Text/HTML;charset=utf-8;q=0.5' }, true],
  ['fetch() with the Accept header of a page', { accept: CHROMIUM, 'sec-fetch-mode': 'cors' }, false],
  ['an image that accepts html', { accept: CHROMIUM, 'sec-fetch-mode': 'no-cors' }, false],
  ['curl', { accept: '*/*' }, false],
  ['text/*', { accept: 'text/*' }, false],
  ['JSON', { accept: 'application/json' }, false],
  ['html with quality 0', { accept: 'text/html;q=0, application/json' }, false],
  ['html with quality 0.000', { accept: 'text/html; q=0.000' }, false],
  ['no Accept header', {}, false],
]

for (const [name, headers, expected] of CASES) {
  test(`${expected ? 'takes as a page visitor' : 'takes as a program'}: ${name}`, () => {
    const req = new IncomingMessage(new Socket())
    Object.assign(req.headers, headers)
    assert.equal(wantsPage(req), expected)
  })
}
