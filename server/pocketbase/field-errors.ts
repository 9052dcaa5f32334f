// PocketBase's errors by field → ours: flat names, sentences that help.

import type { FieldErrors } from '../errors.ts'

/** Where a refusal belongs to no field. */
const WHOLE_FORM = 'form'

const SENTENCES: Readonly<Record<string, string>> = {
  'email.validation_not_unique': 'This e-mail address is already in use.',
  'email.validation_is_email': 'This is not an e-mail address.',
  'email.validation_invalid_email': 'This is not an e-mail address.',
  'password.validation_invalid_value': 'This password cannot be used. Please choose another one.',
  'passwordConfirm.validation_values_mismatch': 'The two passwords are not the same.',
  'currentPassword.validation_invalid_old_password': 'This is not your current password.',
  validation_required: 'Please fill in this field.',
}

const RENAMED: Readonly<Record<string, string>> = { oldPassword: 'currentPassword' }

/**
 * Field → sentence, nested fields joined by dots. Never empty: a refusal that names no field (by a rule of the
 * collection, or bcrypt's) stands under `form` as `otherwise`.
 */
export function fieldErrorsFrom(data: Readonly<Record<string, unknown>>, otherwise: string): FieldErrors {
  const errors = Object.fromEntries(flatten(data, ''))
  return Object.keys(errors).length > 0 ? errors : { [WHOLE_FORM]: otherwise }
}

function flatten(data: Readonly<Record<string, unknown>>, prefix: string): readonly (readonly [string, string])[] {
  return Object.entries(data).flatMap(([name, value]) => {
    const field = `${prefix}${RENAMED[name] ?? name}`
    if (typeof value !== 'object' || value === null) return []
    // A JSON object by the check; the members are still unknown.
    const entry = value as Readonly<Record<string, unknown>>
    const { code, message } = entry
    if (typeof code === 'string' && typeof message === 'string') return [[field, sentence(field, code, message)]]
    return flatten(entry, `${field}.`)
  })
}

function sentence(field: string, code: string, message: string): string {
  return SENTENCES[`${field}.${code}`] ?? SENTENCES[code] ?? message.replaceAll('(s)', 's')
}
