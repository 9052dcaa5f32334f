import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readRedirect } from '../../../../server/stores/redis/redirect.ts'

const from = { address: '10.0.0.1:6379', isAsked: false }

test('a slot that has moved is looked for where the node says', () => {
  const target = { address: '10.0.0.2:6380', isAsked: false }
  assert.deepEqual(readRedirect('MOVED 3999 10.0.0.2:6380', from), { target })
})

test('a slot that is moving asks the new node for this one command', () => {
  const target = { address: '::1:6380', isAsked: true }
  assert.deepEqual(readRedirect('ASK 3999 ::1:6380', from), { target })
})

test('an address without a host is on the same host', () => {
  assert.equal(readRedirect('MOVED 3999 :6380', from)?.target.address, '10.0.0.1:6380')
})

test('keys that are on two nodes for a moment are asked for again at the same node', () => {
  const redirect = readRedirect('TRYAGAIN Multiple keys request during rehashing of slot', { ...from, isAsked: true })
  assert.deepEqual(redirect?.target, { ...from, isAsked: true })
  assert.ok(redirect.pauseMs)
})

test('any other answer is none', () => {
  assert.equal(readRedirect('CLUSTERDOWN Hash slot not served', from), undefined)
  assert.equal(readRedirect('ERR MOVED 1 a:1', from), undefined)
})
