import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deviceLabel } from '../../../server/lib/device-label.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0'
const IPHONE =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'

describe('deviceLabel', () => {
  it('names browser and system', () => {
    assert.equal(deviceLabel(FIREFOX), 'Firefox on Linux')
    assert.equal(deviceLabel(IPHONE), 'Safari on iOS')
  })

  it('calls what it cannot tell an unknown device', () => {
    for (const header of [undefined, '', '   ', 'node', 'curl/8.5.0'])
      assert.equal(deviceLabel(header), 'Unknown device')
  })

  it('never shows text of the header itself', () => {
    assert.equal(deviceLabel('<script>alert(1)</script>/1.0'), 'Unknown device')
  })

  it('reads the first 512 characters only', () => {
    assert.equal(deviceLabel(`${' '.repeat(1)}${'x'.repeat(511)}${FIREFOX}`), 'Unknown device')
  })
})
