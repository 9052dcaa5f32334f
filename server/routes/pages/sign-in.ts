// Home and the pages for visitors who are not signed in: sign in, register, forgotten password.

import { ProblemError } from '../../errors.ts'
import { returnTarget } from '../../middleware/return-target.ts'
import { fillField } from '../../views/field.ts'
import { EMAIL, IDENTITY, NEW_PASSWORD, NEW_PASSWORD_CONFIRM, PASSWORD, profileField } from '../../views/form-fields.ts'
import { ENDED_BECAUSE } from '../../views/notices.ts'
import type { LoadedPage, PageInput } from './page-load.ts'

export function loadHome({ services }: PageInput): LoadedPage<'home'> {
  const registration = services.config.registration !== 'closed'
  return { model: { registration: services.config.registration }, view: { registration }, fields: [] }
}

/** Tells why the last session of this browser ended: from its cookie, never from the address bar. */
export function loadLogin(input: PageInput): LoadedPage<'login'> {
  const { session, services, extras } = input
  const identity = fillField('login', IDENTITY, extras)
  const password = fillField('login', PASSWORD, extras)
  const view = {
    ended: session.ended && ENDED_BECAUSE[session.ended.reason],
    identity,
    password,
    remember: extras.values?.['remember'] !== undefined,
    returnTo: returnToOf(input),
  }
  const model = { reason: session.ended?.reason ?? null, registration: services.config.registration }
  return { model, view, fields: [identity, password] }
}

/** @throws ProblemError not_found where nobody may register */
export function loadRegister(input: PageInput): LoadedPage<'register'> {
  const { config } = input.services
  if (config.registration === 'closed') throw new ProblemError('not_found', 'Registration is closed.')
  const names = config.profile === false ? [] : config.profile.fields
  const email = fillField('register', EMAIL, input.extras)
  const password = fillField('register', NEW_PASSWORD, input.extras)
  const passwordConfirm = fillField('register', NEW_PASSWORD_CONFIRM, input.extras)
  const profile = names.map((name) => fillField('register', profileField(name, 'profile.'), input.extras))
  return {
    model: { registration: config.registration, profile: names },
    view: { email, password, passwordConfirm, profile, returnTo: returnToOf(input) },
    fields: [email, password, passwordConfirm, ...profile],
  }
}

export function loadForgotPassword({ extras }: PageInput): LoadedPage<'forgot-password'> {
  const email = fillField('forgot', EMAIL, extras)
  return { model: {}, view: { email }, fields: [email] }
}

/** From the address, or from the hidden field of the form that failed. */
function returnToOf({ session, services, extras }: PageInput): string {
  return returnTarget(services.config, extras.values?.['returnTo'] ?? session.req.query['returnTo'], '')
}
