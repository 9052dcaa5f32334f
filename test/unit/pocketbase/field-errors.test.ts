// PocketBase's errors by field, as a person reads them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorsFrom } from '../../../server/pocketbase/field-errors.ts'

const error = (code: string, message = 'Text of PocketBase.') => ({ code, message })

test('names the fields as our routes do', () => {
  const data = {
    email: error('validation_not_unique'),
    passwordConfirm: error('validation_values_mismatch'),
    oldPassword: error('validation_invalid_old_password'),
    profile: { displayName: error('validation_required'), bio: error('validation_max_text_constraint') },
  }
  assert.deepEqual(fieldErrorsFrom(data, '-'), {
    email: 'This e-mail address is already in use.',
    passwordConfirm: 'The two passwords are not the same.',
    currentPassword: 'This is not your current password.',
    'profile.displayName': 'Please fill in this field.',
    'profile.bio': 'Text of PocketBase.',
  })
})

test('passes on what PocketBase says of other mistakes, in plain words', () => {
  const bio = error('validation_max_text_constraint', 'Must be no more than 80 character(s).')
  assert.deepEqual(fieldErrorsFrom({ bio }, '-'), { bio: 'Must be no more than 80 characters.' })
})

test('puts a refusal without fields under the form', () => {
  assert.deepEqual(fieldErrorsFrom({}, 'Not possible.'), { form: 'Not possible.' })
  assert.deepEqual(fieldErrorsFrom({ odd: 'text', odder: null }, 'Not possible.'), { form: 'Not possible.' })
})
