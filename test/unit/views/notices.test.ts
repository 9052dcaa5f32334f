// Sentences by key: all of them there, and none by a key of somebody else.

import assert from 'node:assert/strict'
import test from 'node:test'
import { END_REASONS } from '../../../server/sessions/reasons.ts'
import { ENDED_BECAUSE, NOTICES, noticeText } from '../../../server/views/notices.ts'

test('every reason for which a session ends has a sentence of its own', () => {
  const sentences = END_REASONS.map((reason) => ENDED_BECAUSE[reason])
  assert.equal(new Set(sentences).size, END_REASONS.length)
  for (const sentence of sentences) assert.match(sentence, /^[A-Z].*\.$/)
})

test('a notice is shown for a known key and for nothing else', () => {
  assert.equal(noticeText('signed_out'), NOTICES.signed_out)
  for (const key of ['<b>', 'constructor', '__proto__', '', undefined, ['signed_out'], {}]) {
    assert.equal(noticeText(key), null)
  }
})
