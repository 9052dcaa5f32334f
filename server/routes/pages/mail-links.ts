// The pages that a mail's link opens. The token stands in a sealed cookie by then; looking at a page uses nothing up.

import { readLink } from '../../middleware/link-cookie.ts'
import { fillField } from '../../views/field.ts'
import { NEW_PASSWORD, NEW_PASSWORD_CONFIRM } from '../../views/form-fields.ts'
import type { LoadedPage, PageInput } from './page-load.ts'

const BROKEN = 'This link does not work any more'

export function loadResetPassword(input: PageInput): LoadedPage<'reset-password'> {
  const linked = hasLink(input)
  const password = fillField('reset', NEW_PASSWORD, input.extras)
  const passwordConfirm = fillField('reset', NEW_PASSWORD_CONFIRM, input.extras)
  return {
    model: { linked },
    view: { linked, password, passwordConfirm },
    fields: linked ? [password, passwordConfirm] : [],
    ...(linked ? {} : { title: BROKEN }),
  }
}

export function loadVerifyEmail(input: PageInput): LoadedPage<'verify-email'> {
  const linked = hasLink(input)
  const { user } = input.session
  const verified = user?.verified === true
  return {
    model: { linked, verified },
    view: { linked, verified, email: user?.email ?? null },
    fields: [],
    ...(linked ? {} : { title: verified ? 'Your address is confirmed' : BROKEN }),
  }
}

/** A form that failed with 400 has found out that the token is no good: there is no point in showing it again. */
function hasLink({ services, session, extras }: PageInput): boolean {
  return extras.status !== 400 && readLink(services, session.req) !== null
}
