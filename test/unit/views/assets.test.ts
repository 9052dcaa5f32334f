// Stylesheet, script and icon: kept by browsers for good, so their addresses must change with them.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { ASSETS, STYLESHEET } from '../../../server/views/assets.ts'

test('the address of an asset carries a hash of its content', () => {
  for (const { url, body } of ASSETS) {
    const hash = createHash('sha256').update(body).digest('hex').slice(0, 10)
    assert.match(url, new RegExp(`^/assets/auth/[a-z]+\\.${hash}\\.(?:css|js|svg)$`))
  }
})

test('the stylesheet loads nothing from anywhere', () => {
  assert.doesNotMatch(STYLESHEET.body.toString(), /url\(|@import|@font-face/)
})
