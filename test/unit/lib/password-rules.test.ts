import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isWholePassword, passwordProblem } from '../../../server/lib/password-rules.ts'

describe('isWholePassword', () => {
  it('refuses what bcrypt would cut: more than 72 bytes, or a NUL', () => {
    assert.equal(isWholePassword('x'.repeat(72)), true)
    assert.equal(isWholePassword('x'.repeat(73)), false)
    assert.equal(isWholePassword('ü'.repeat(36)), true)
    assert.equal(isWholePassword('ü'.repeat(37)), false)
    assert.equal(isWholePassword('secret-1\0more'), false)
  })
})

describe('passwordProblem', () => {
  it('takes a password of 8 characters to 72 bytes', () => {
    assert.equal(passwordProblem('12345678'), null)
    assert.equal(passwordProblem('x'.repeat(72)), null)
  })

  it('counts characters, not code units', () => {
    assert.match(passwordProblem('😀😀😀😀') ?? '', /at least 8/)
    assert.equal(passwordProblem('😀'.repeat(8)), null)
  })

  it('says what is wrong', () => {
    assert.match(passwordProblem('1234567') ?? '', /at least 8 characters/)
    assert.match(passwordProblem('x'.repeat(73)) ?? '', /72 bytes/)
    assert.match(passwordProblem('12345678\0') ?? '', /NUL/)
  })
})
