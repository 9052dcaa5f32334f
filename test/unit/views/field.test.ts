// Form fields: what is shown again, and how a field, its hint and its error belong together.

import assert from 'node:assert/strict'
import test from 'node:test'
import { fillField } from '../../../server/views/field.ts'
import { humanize, NEW_PASSWORD, profileField } from '../../../server/views/form-fields.ts'

test('a field keeps what was typed rather than what is stored', () => {
  const spec = profileField('bio')
  assert.equal(fillField('profile', spec, { stored: 'old' }).value, 'old')
  assert.equal(fillField('profile', spec, { stored: 'old', values: { bio: '' } }).value, '')
  assert.equal(fillField('profile', spec, { stored: 'old', values: { bio: 'new' } }).value, 'new')
})

test('a password is never shown again', () => {
  assert.equal(fillField('reset', NEW_PASSWORD, { values: { password: 'secret' }, stored: 'secret' }).value, '')
})

test('hint and error are named for aria-describedby, in that order', () => {
  const field = fillField('reset', NEW_PASSWORD, { errors: { password: 'Too short.' } })
  assert.equal(field.error, 'Too short.')
  assert.equal(field.describedBy, 'reset-password-hint reset-password-error')
  assert.equal(fillField('reset', { ...NEW_PASSWORD, hint: '' }, {}).describedBy, '')
})

test('the dot of a nested name is no part of the id', () => {
  const field = fillField('register', profileField('bio', 'profile.'), {})
  assert.deepEqual([field.id, field.name], ['register-profile-bio', 'profile.bio'])
})

test('a field named like a member of every object finds nothing there', () => {
  const field = fillField('profile', profileField('constructor'), { values: {}, errors: {} })
  assert.deepEqual([field.value, field.error, field.label], ['', '', 'Constructor'])
})

test('profile fields have words for labels', () => {
  assert.equal(profileField('displayName').label, 'Display name')
  assert.equal(humanize('phoneNumber'), 'Phone number')
  assert.equal(humanize('home_address2'), 'Home address2')
  assert.equal(humanize('companyURL'), 'Company URL')
})
