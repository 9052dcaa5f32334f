import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { coarseAddress, countedAddress } from '../../../server/lib/coarse-address.ts'

describe('coarseAddress', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['203.0.113.7', '203.0.113.0'],
    ['::ffff:203.0.113.7', '203.0.113.0'],
    ['::FFFF:cb00:7107', '203.0.113.0'],
    ['2001:db8:7:1::9', '2001:db8:7::'],
    ['2001:0db8:0007:0000:0000:0000:0000:0001', '2001:db8:7::'],
    ['1:0:3:4:5:6:7:8', '1:0:3::'],
    ['::1', '::'],
    ['fe80::1%eth0', 'fe80::'],
  ]
  for (const [address, network] of cases) {
    it(`cuts ${address} to ${network}`, () => assert.equal(coarseAddress(address), network))
  }

  it('answers nothing for what is no address', () => {
    for (const junk of ['', 'unknown', '203.0.113', '203.0.113.7, 10.0.0.1', '<b>']) {
      assert.equal(coarseAddress(junk), '', junk)
    }
  })
})

describe('countedAddress', () => {
  it('keeps an IPv4 address whole, whichever way it is written', () => {
    assert.equal(countedAddress('203.0.113.7'), '203.0.113.7')
    assert.equal(countedAddress('::ffff:203.0.113.7'), '203.0.113.7')
  })

  it('takes a household of IPv6 addresses for one', () => {
    assert.equal(countedAddress('2001:db8:7:1::9'), countedAddress('2001:db8:7:1:ffff::1'))
    assert.notEqual(countedAddress('2001:db8:7:1::9'), countedAddress('2001:db8:7:2::9'))
  })
})
