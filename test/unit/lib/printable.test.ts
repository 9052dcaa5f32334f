import assert from 'node:assert/strict'
import { it } from 'node:test'
import { printable } from '../../../server/lib/printable.ts'

it('escapes what a terminal or a viewer would act on, and leaves the rest', () => {
  assert.equal(
    printable('a\r\nb\u001b[2J\u007f\u009b\u2028\u202e'),
    'a\\u000d\\u000ab\\u001b[2J\\u007f\\u009b\\u2028\\u202e',
  )
  assert.equal(printable('Zoë “quotes” 漢字 👩‍💻 "\\'), 'Zoë “quotes” 漢字 👩‍💻 "\\')
})
