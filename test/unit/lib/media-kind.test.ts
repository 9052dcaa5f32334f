import assert from 'node:assert/strict'
import test from 'node:test'
import { mediaKind } from '../../../server/lib/media-kind.ts'

const KINDS = {
  json: ['application/json', 'Application/JSON', 'application/json; charset=utf-8', 'application/json;charset="UTF-8"'],
  form: ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded;charset=UTF-8'],
  other: [
    '',
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/json; charset=utf-7',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; x=1',
    'application/json, text/plain',
    'application/problem+json',
    'application/vnd.api+json',
    'application/jsonp',
    ' application/x-json',
    'application/x-www-form-urlencoded; a=application/json',
    'application/x-www-form-urlencoded; charset=iso-8859-1',
    'multipart/form-data; boundary=application/json',
    'text/plain; application/json',
  ],
} as const

for (const [kind, types] of Object.entries(KINDS)) {
  for (const type of types) {
    test(`takes ${JSON.stringify(type)} as ${kind}`, () => assert.equal(mediaKind(type), kind))
  }
}

test('takes a missing Content-Type as none', () => assert.equal(mediaKind(undefined), 'none'))
