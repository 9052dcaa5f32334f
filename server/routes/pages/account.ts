// The account: e-mail address, profile, password.

import { askAsUser } from '../../controllers/auth/ask-as-user.ts'
import { signedIn } from '../../controllers/signed-in.ts'
import { fillField, type Field } from '../../views/field.ts'
import { CURRENT_PASSWORD, NEW_PASSWORD, NEW_PASSWORD_CONFIRM, profileField } from '../../views/form-fields.ts'
import type { LoadedPage, PageInput } from './page-load.ts'

type Profile = Readonly<Record<string, unknown>>

/** @throws ProblemError `pocketbase_unavailable`, `session_expired` */
export async function loadAccount(input: PageInput): Promise<LoadedPage<'account'>> {
  const stored = await loadProfile(input)
  const { user } = signedIn(input.session)
  const profile = profileFields(input, stored)
  const currentPassword = fillField('account', CURRENT_PASSWORD, input.extras)
  const password = fillField('account', NEW_PASSWORD, input.extras)
  const passwordConfirm = fillField('account', NEW_PASSWORD_CONFIRM, input.extras)
  return {
    model: { user, profile: stored },
    view: {
      email: user.email ?? '',
      verified: user.verified === true,
      profile,
      currentPassword,
      password,
      passwordConfirm,
    },
    fields: [...profile, currentPassword, password, passwordConfirm],
  }
}

/** The editable fields of the profile; `null` where the app has none. */
async function loadProfile(input: PageInput): Promise<Profile | null> {
  const { config, pocketbase } = input.services
  if (config.profile === false) return null
  const found = await askAsUser(input, ({ token, user }) =>
    pocketbase.getProfile({ token, userId: user.id }, input.session.client),
  )
  return Object.fromEntries(config.profile.fields.map((name) => [name, found?.[name] ?? null]))
}

function profileFields({ extras }: PageInput, stored: Profile | null): Field[] {
  return Object.entries(stored ?? {}).map(([name, value]) =>
    fillField('profile', profileField(name), { ...extras, stored: asText(value) }),
  )
}

function asText(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
