// Why a session ended: one closed list, kept in the ended row and shown to the user.

export const END_REASONS = [
  /** The user signed out here. */
  'logout',
  /** The user signed out on all devices. */
  'logout_everywhere',
  /** The user ended this one from another device. */
  'revoked',
  /** An administrator ended it. */
  'admin_revoked',
  /** Its id was changed; the successor lives on. */
  'rotated',
  /** The user had too many sessions; this was the oldest. */
  'evicted',
  /** Not used for longer than the idle timeout. */
  'idle_timeout',
  /** Older than the absolute timeout. */
  'absolute_timeout',
  /** The password was changed in another session. */
  'password_changed',
  /** The password was reset by mail. */
  'password_reset',
  /** All sessions of the user were ended while this one was being made. */
  'superseded',
  /** PocketBase no longer lets this user sign in. */
  'account_disabled',
  /** PocketBase refused the session's token: password or e-mail changed elsewhere, or the user was deleted. */
  'token_rejected',
  /** A sealed field could not be opened: the row was tampered with or damaged. */
  'damaged',
  /** Sealed under a secret that is no longer configured. */
  'secret_retired',
] as const

/** Why a session ended. */
export type EndReason = (typeof END_REASONS)[number]
