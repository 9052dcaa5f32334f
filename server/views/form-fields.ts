// The fields of our forms. Browsers and password managers find them by their `autocomplete` tokens.

import type { FieldSpec } from './field.ts'

export const IDENTITY: FieldSpec = {
  name: 'identity',
  label: 'E-mail',
  type: 'email',
  autocomplete: 'username',
  required: true,
}

export const EMAIL: FieldSpec = {
  name: 'email',
  label: 'E-mail',
  type: 'email',
  autocomplete: 'username',
  required: true,
}

/** The password that the user already has. */
export const PASSWORD: FieldSpec = {
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'current-password',
  required: true,
}

export const CURRENT_PASSWORD: FieldSpec = { ...PASSWORD, name: 'currentPassword', label: 'Current password' }

export const NEW_PASSWORD: FieldSpec = {
  name: 'password',
  label: 'New password',
  type: 'password',
  autocomplete: 'new-password',
  required: true,
  hint: 'At least 8 characters. A few unrelated words make a good one.',
}

export const NEW_PASSWORD_CONFIRM: FieldSpec = {
  name: 'passwordConfirm',
  label: 'New password again',
  type: 'password',
  autocomplete: 'new-password',
  required: true,
}

const PROFILE_FIELDS: Readonly<Record<string, Omit<FieldSpec, 'name'>>> = {
  displayName: {
    label: 'Display name',
    type: 'text',
    autocomplete: 'nickname',
    required: true,
    hint: 'What others see.',
  },
  bio: { label: 'About you', type: 'textarea', hint: 'Optional.' },
}

/** The form field of a profile field; `prefix` is what stands before its name in the form (`profile.`). */
export function profileField(name: string, prefix = ''): FieldSpec {
  const known = Object.hasOwn(PROFILE_FIELDS, name) ? PROFILE_FIELDS[name] : undefined
  return { ...(known ?? { label: humanize(name), type: 'text' }), name: `${prefix}${name}` }
}

/** `phoneNumber` and `phone_number` become "Phone number". */
export function humanize(name: string): string {
  const words = name
    .replaceAll(/([\p{Ll}\d])(\p{Lu})/gu, '$1 $2')
    .split(/[\s_-]+/)
    .filter((word) => word !== '')
    .map((word) => (/^\p{Lu}{2,}$/u.test(word) ? word : word.toLowerCase()))
    .join(' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
