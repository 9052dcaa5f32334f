import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { ProblemError } from '../../../server/errors.ts'
import {
  checkbox,
  emailField,
  newPasswordField,
  PASSWORDS_DIFFER,
  passwordsAgree,
  requiredText,
} from '../../../server/controllers/fields.ts'
import { parseInput } from '../../../server/controllers/parse-input.ts'

const schema = z
  .strictObject({
    email: emailField,
    password: newPasswordField,
    passwordConfirm: requiredText,
    profile: z.strictObject({ bio: z.string('This must be text.').optional() }).optional(),
  })
  .refine(passwordsAgree, PASSWORDS_DIFFER)

const good = { email: 'ann@example.com', password: 'long enough', passwordConfirm: 'long enough' }

function errorsOf(body: unknown): Readonly<Record<string, string>> | undefined {
  try {
    parseInput(schema, body)
  } catch (error) {
    assert.ok(error instanceof ProblemError)
    assert.equal(error.code, 'invalid_input')
    return error.errors
  }
  assert.fail('it was accepted')
}

describe('parseInput', () => {
  it('answers what was sent, trimmed where spaces mean nothing', () => {
    assert.deepEqual(parseInput(schema, { ...good, email: ' ann@example.com ' }), good)
  })

  it('refuses unknown fields by name, nested ones too', () => {
    const errors = errorsOf({ ...good, role: 'admin', profile: { bio: '', verified: true } })
    assert.deepEqual(errors, {
      role: 'There is no such field.',
      'profile.verified': 'There is no such field.',
    })
  })

  it('refuses wrong types at their field', () => {
    const errors = errorsOf({ email: 7, password: ['x'], passwordConfirm: null, profile: { bio: {} } })
    assert.deepEqual(Object.keys(errors ?? {}).toSorted(), ['email', 'password', 'passwordConfirm', 'profile.bio'])
  })

  it('names every missing field', () => {
    assert.deepEqual(errorsOf({}), {
      email: 'Please fill in this field.',
      password: 'Please fill in this field.',
      passwordConfirm: 'Please fill in this field.',
    })
  })

  it('takes no body for an empty one, and refuses what is no object', () => {
    assert.deepEqual(Object.keys(errorsOf(undefined) ?? {}), ['email', 'password', 'passwordConfirm'])
    for (const body of [[], 'text', 7]) assert.equal(errorsOf(body), undefined)
  })

  it('says that passwords differ also while another field is wrong', () => {
    const errors = errorsOf({ ...good, email: 'ann', passwordConfirm: 'something else' })
    assert.deepEqual(errors, {
      email: 'This is not an e-mail address.',
      passwordConfirm: 'The two passwords are not the same.',
    })
  })

  it('gives one message a field, and not more than twenty', () => {
    const unknown = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, 1]))
    assert.equal(Object.keys(errorsOf({ ...good, ...unknown }) ?? {}).length, 20)
  })

  it('treats a field called __proto__ as any other unknown one', () => {
    const errors = errorsOf(JSON.parse(`{ "__proto__": { "role": "admin" }, "email": "ann@example.com" }`))
    assert.ok(Object.hasOwn(errors ?? {}, '__proto__'))
  })
})

describe('checkbox', () => {
  it('takes true and false in JSON, and nothing that merely looks like it', () => {
    assert.equal(checkbox(false).parse(true), true)
    assert.equal(checkbox(false).safeParse('on').success, false)
  })

  it('takes what browsers send for a box in a form', () => {
    assert.deepEqual(
      ['on', 'true', undefined].map((value) => checkbox(true).parse(value)),
      [true, true, undefined],
    )
    assert.equal(checkbox(true).safeParse('maybe').success, false)
  })
})
