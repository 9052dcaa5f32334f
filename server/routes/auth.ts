// All flows on one screen: method, path, what runs, who may, how often, and what a plain HTML form sees.

import { endSession } from '../controllers/admin/end-session.ts'
import { endUserSessions } from '../controllers/admin/end-user-sessions.ts'
import { findUsers } from '../controllers/admin/find-users.ts'
import { userSessions } from '../controllers/admin/user-sessions.ts'
import { csrf } from '../controllers/auth/csrf.ts'
import { login } from '../controllers/auth/login.ts'
import { logoutEverywhere } from '../controllers/auth/logout-everywhere.ts'
import { logout } from '../controllers/auth/logout.ts'
import { passwordResetConfirm } from '../controllers/auth/password-reset-confirm.ts'
import { passwordReset } from '../controllers/auth/password-reset.ts'
import { password } from '../controllers/auth/password.ts'
import { profile } from '../controllers/auth/profile.ts'
import { reauthenticate } from '../controllers/auth/reauthenticate.ts'
import { register } from '../controllers/auth/register.ts'
import { revokeOthers } from '../controllers/auth/revoke-others.ts'
import { sessionRevoke } from '../controllers/auth/session-revoke.ts'
import { sessions } from '../controllers/auth/sessions.ts'
import { status } from '../controllers/auth/status.ts'
import { verificationConfirm } from '../controllers/auth/verification-confirm.ts'
import { verification } from '../controllers/auth/verification.ts'
import type { AddressLimit } from '../middleware/rate-limit.ts'
import type { Services } from '../services.ts'
import { flowErrors } from './flow-errors.ts'
import { flowRouter, type FlowMount } from './flow-router.ts'
import type { FlowRow, FormRow, MailRow } from './flow-row.ts'

const HOUR_MS = 3_600_000
/** Generous: a school or an office has one address. Wrong passwords are limited at sign-in, mails by recipient. */
const perHour = (kind: string, max = 1000): AddressLimit => ({ kind, max, windowMs: HOUR_MS })

const ACCOUNT: FormRow = { page: 'account', to: { page: 'account' } }
const DEVICES: FormRow = { page: 'devices', to: { page: 'devices' } }
const ADMIN: FormRow = { page: 'admin', to: { page: 'admin' } }
/** A button that stands on every page: there is no form to show again. */
const LOGOUT: FormRow = { page: 'error', to: 'afterLogout' }
/** Where the address has to be verified first, nobody is signed in yet. */
const REGISTERED: FormRow = { page: 'register', to: ({ user }) => (user === null ? 'login' : 'afterLogin') }
/** The mail may be opened in a browser where nobody is signed in. */
const VERIFIED: FormRow = {
  page: 'verify-email',
  to: ({ user }) => (user === null ? 'login' : { page: 'account' }),
  mailLink: true,
}

const RESET_MAIL: MailRow = { to: 'body', answer: { status: 202, body: { accepted: true }, notice: 'reset_requested' } }
const VERIFICATION_MAIL: MailRow = {
  to: 'user',
  answer: { status: 202, body: { accepted: true }, notice: 'verification_sent' },
}

// prettier-ignore
export const FLOWS: readonly FlowRow[] = [
  { method: 'GET', path: '/status', flow: status, access: 'anyone' },
  { method: 'GET', path: '/csrf', flow: csrf, access: 'anyone' },

  { method: 'POST', path: '/register', flow: register, access: 'anyone', limit: perHour('register'), form: REGISTERED },
  { method: 'POST', path: '/login', flow: login, access: 'anyone', form: { page: 'login', to: 'afterLogin' } },
  { method: 'POST', path: '/logout', flow: logout, access: 'anyone', form: LOGOUT },
  { method: 'POST', path: '/logout-everywhere', flow: logoutEverywhere, access: 'user', form: LOGOUT },

  { method: 'POST', path: '/password-reset', flow: passwordReset, access: 'anyone', limit: perHour('password_reset'), mail: RESET_MAIL, form: { page: 'forgot-password', to: { page: 'forgot-password' } } },
  { method: 'POST', path: '/password-reset/confirm', flow: passwordResetConfirm, access: 'anyone', limit: perHour('password_reset_confirm'), form: { page: 'reset-password', to: 'login', mailLink: true } },
  { method: 'POST', path: '/password', flow: password, access: 'user', form: ACCOUNT },
  { method: 'POST', path: '/reauthenticate', flow: reauthenticate, access: 'user', form: DEVICES },

  { method: 'POST', path: '/verification', flow: verification, access: 'user', limit: perHour('verification'), mail: VERIFICATION_MAIL, form: ACCOUNT },
  { method: 'POST', path: '/verification/confirm', flow: verificationConfirm, access: 'anyone', limit: perHour('verification_confirm'), form: VERIFIED },

  { method: 'PATCH', path: '/profile', flow: profile, access: 'user' },
  { method: 'POST', path: '/profile', flow: profile, access: 'user', form: ACCOUNT, formOnly: true },

  { method: 'GET', path: '/sessions', flow: sessions, access: 'user' },
  { method: 'POST', path: '/sessions/revoke-others', flow: revokeOthers, access: 'fresh', form: DEVICES },
  // Ending this very session is a logout and needs no fresh password: the flow tells them apart.
  { method: 'DELETE', path: '/sessions/:id', flow: sessionRevoke, access: 'user' },
  { method: 'POST', path: '/sessions/:id/revoke', flow: sessionRevoke, access: 'user', form: DEVICES, formOnly: true },

  { method: 'GET', path: '/admin/users', flow: findUsers, access: 'admin' },
  { method: 'GET', path: '/admin/users/:id/sessions', flow: userSessions, access: 'admin' },
  { method: 'DELETE', path: '/admin/users/:id/sessions', flow: endUserSessions, access: 'admin' },
  { method: 'POST', path: '/admin/users/:id/revoke-sessions', flow: endUserSessions, access: 'admin', form: ADMIN, formOnly: true },
  { method: 'DELETE', path: '/admin/users/:id/sessions/:session', flow: endSession, access: 'admin' },
  { method: 'POST', path: '/admin/users/:id/sessions/:session/revoke', flow: endSession, access: 'admin', form: ADMIN, formOnly: true },
]

/**
 * The flows, for `app.use('/auth', …)`. Each answers JSON with JSON and a form with a page, refuses forged requests by
 * itself, and answers its own errors; other addresses below the mount path are left to the app.
 */
export function authRoutes(services: Services): FlowMount {
  return [flowRouter(services, FLOWS), flowErrors(services, FLOWS)]
}
