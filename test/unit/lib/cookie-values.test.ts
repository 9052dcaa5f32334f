import assert from 'node:assert/strict'
import test from 'node:test'
import { cookieValues } from '../../../server/lib/cookie-values.ts'

test('finds a cookie among others', () => {
  assert.deepEqual(cookieValues('a=1; pre=x.y.z; b=2', 'pre'), ['x.y.z'])
})

test('finds every cookie of the name, in the order they were sent', () => {
  assert.deepEqual(cookieValues('pre=evil; pre=good', 'pre'), ['evil', 'good'])
})

test('does not take another name that ends or begins alike', () => {
  assert.deepEqual(cookieValues('xpre=1; prex=2; PRE=3', 'pre'), [])
})

test('does not look behind white space that only some servers trim, quotes or $Version', () => {
  for (const header of [
    'a=1;\u00a0pre=1',
    'a=1;\tpre=1',
    'a=1;  pre=1',
    'a="; pre2=1"',
    '$Version=1,pre=1',
    'a="x;y pre=1"',
  ]) {
    assert.deepEqual(cookieValues(header, 'pre'), [], header)
  }
})

test('answers nothing without a Cookie header', () => {
  assert.deepEqual(cookieValues(undefined, 'pre'), [])
  assert.deepEqual(cookieValues('', 'pre'), [])
})
