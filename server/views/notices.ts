// Sentences shown once at the top of a page. Pages name them by key, so that nobody can put words of their own
// on our pages through a link.

import type { EndReason } from '../sessions/reasons.ts'

/** Key of `?notice=` → what the page says. */
export const NOTICES = {
  signed_in: 'You are signed in.',
  signed_out: 'You are signed out.',
  signed_out_everywhere: 'You are signed out on all devices.',
  registered: 'Welcome! Your account is ready and you are signed in.',
  registration_requested: 'Almost done: if the address is not in use yet, a mail with a link is on its way to it.',
  reset_requested: 'If there is an account with this address, a mail with a link is on its way to it.',
  password_reset: 'Your password is changed and all your sessions are ended. Please sign in with the new one.',
  password_changed: 'Your password is changed. All your other sessions are ended.',
  profile_saved: 'Your profile is saved.',
  verification_sent: 'A mail with a link is on its way to you.',
  email_verified: 'Thank you, your e-mail address is confirmed.',
  reauthenticated: 'Thank you. For the next few minutes you can make the change.',
  session_revoked: 'The session is ended.',
  others_revoked: 'All your other sessions are ended.',
  user_sessions_revoked: 'All sessions of the user are ended.',
} as const

export type NoticeKey = keyof typeof NOTICES

/** The sentence for a key from the address bar; `null` for anything that is not a key. */
export function noticeText(key: unknown): string | null {
  return typeof key === 'string' && Object.hasOwn(NOTICES, key) ? NOTICES[key as NoticeKey] : null
}

/** Why the session of this browser ended, in words for its user. */
export const ENDED_BECAUSE: Readonly<Record<EndReason, string>> = {
  logout: 'You signed out.',
  logout_everywhere: 'You signed out on all devices.',
  revoked: 'You ended this session from another device.',
  admin_revoked: 'An administrator ended your session.',
  rotated: 'Your session was renewed elsewhere in this browser. Please sign in again.',
  evicted: 'You were signed out here because you signed in on too many other devices.',
  idle_timeout: 'You were signed out because you had not used it for a while.',
  absolute_timeout: 'You were signed out because you had been signed in for a long time. Please sign in again.',
  password_changed: 'You were signed out because your password was changed on another device.',
  password_reset: 'You were signed out because your password was reset. Please sign in with the new one.',
  superseded: 'You were signed out because all sessions of your account were ended.',
  account_disabled: 'You were signed out because your account may not sign in at the moment.',
  token_rejected: 'You were signed out because your account has changed. Please sign in again.',
  damaged: 'You were signed out because your session could not be read. Please sign in again.',
  secret_retired: 'You were signed out because this site has changed its keys. Please sign in again.',
}
