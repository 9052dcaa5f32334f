// The fields that flows have in common.

import { z } from 'zod'
import { passwordProblem } from '../lib/password-rules.ts'

/** Long enough for everything a person types; what PocketBase allows is for PocketBase to say. */
const MAX_TEXT = 10_000
const MAX_IDENTITY = 255

const EMPTY = 'Please fill in this field.'
const TOO_LONG = 'This is too long.'

const text = z.string({ error: ({ input }) => (input === undefined ? EMPTY : 'This must be text.') })

/** Text that must not be empty, as it was typed. */
export const requiredText = text.min(1, EMPTY).max(MAX_TEXT, TOO_LONG)

/** Text that may be empty. */
export const optionalText = text.max(MAX_TEXT, TOO_LONG)

/** What names an account at sign-in. */
export const identityField = text.trim().min(1, EMPTY).max(MAX_IDENTITY, TOO_LONG)

export const emailField = identityField.pipe(z.email('This is not an e-mail address.'))

export const newPasswordField = requiredText.superRefine((password, context) => {
  const message = passwordProblem(password)
  if (message !== null && password !== '') context.addIssue({ code: 'custom', message })
})

/** A checkbox sends its value or nothing at all; JSON says true or false. */
export function checkbox(form: boolean): z.ZodType<boolean | undefined> {
  if (!form) return z.boolean('This must be true or false.').optional()
  return z
    .enum(['true', 'on', '1', 'false', ''], 'This must be true or false.')
    .transform((value) => value !== 'false' && value !== '')
    .optional()
}

/** For `.refine` on an object with `password` and `passwordConfirm`. */
export function passwordsAgree(input: { readonly password: string; readonly passwordConfirm: string }): boolean {
  return input.password === input.passwordConfirm
}

/** Says it at the second field, and also while other fields are wrong. */
export const PASSWORDS_DIFFER = {
  path: ['passwordConfirm'],
  error: 'The two passwords are not the same.',
  when: ({ value }: { readonly value: unknown }): boolean => bothPasswords.safeParse(value).success,
}

const bothPasswords = z.object({ password: z.string(), passwordConfirm: z.string() })

/** Values for the configured profile fields, all of them optional; PocketBase turns text into what a column holds. */
export function profileShape(names: readonly string[]): Record<string, z.ZodOptional<typeof optionalText>> {
  return Object.fromEntries(names.map((name) => [name, optionalText.optional()]))
}
