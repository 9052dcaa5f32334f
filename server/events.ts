// Audit events: names after the OWASP logging vocabulary, payloads by allow-list.
// Never in a payload: password, cookie, id, token, full query string, body.

import { EventEmitter } from 'node:events'
import type { EndReason } from './sessions/reasons.ts'

interface About {
  readonly userId?: string | null
  /** The session's public handle. */
  readonly session?: string
  readonly ip?: string
}

export interface AuthEvents {
  authn_login_success: [About & { readonly amr: readonly string[]; readonly replaced: string | null }]
  authn_login_fail: [About & { readonly why: string }]
  authn_login_fail_max: [About & { readonly limit: string }]
  authn_password_change: [About]
  authn_password_reset: [About]
  user_created: [About]
  session_created: [About]
  session_renewed: [About & { readonly replaced: string }]
  session_ended: [About & { readonly reason: EndReason; readonly ended: number }]
  session_use_after_end: [About & { readonly reason: EndReason }]
  session_lost_write: [About & { readonly why: 'gone' | 'store' | 'after_headers' }]
  authz_fail: [About & { readonly path: string; readonly role?: string }]
  authz_admin: [About & { readonly action: string; readonly target: string }]
  excess_rate_limit_exceeded: [About & { readonly limit: string }]
  excess_sessions_exceeded: [About & { readonly ended: number }]
  malicious_csrf: [About & { readonly path: string; readonly why: string }]
  malicious_extraneous: [About & { readonly why: 'duplicate_cookie' | 'bad_signature' }]
  input_validation_fail: [About & { readonly path: string; readonly fields: readonly string[] }]
  crypt_decrypt_fail: [About & { readonly field: string }]
  sensitive_update: [About & { readonly what: string }]
  store_unavailable: [{ readonly call: string }]
  pocketbase_unavailable: [{ readonly call: string }]
  config_unsafe_override: [{ readonly name: string }]
}

/** `on`, `off`, `once` and `emit`, typed by {@link AuthEvents}. A listener that throws is reported, never passed to a request. */
export class AuthEventEmitter extends EventEmitter<AuthEvents> {
  readonly #listenerFailed: (error: unknown) => void

  constructor(listenerFailed: (error: unknown) => void = () => undefined) {
    super()
    this.#listenerFailed = listenerFailed
  }

  override emit<Name extends keyof AuthEvents>(name: Name, ...payload: AuthEvents[Name]): boolean
  override emit(name: string, ...payload: unknown[]): boolean {
    // Names come from AuthEvents alone; the signature above holds callers to that.
    const listeners = this.rawListeners(name as keyof AuthEvents)
    for (const listener of listeners) {
      try {
        const result: unknown = Reflect.apply(listener, this, payload)
        if (result instanceof Promise) result.catch(this.#listenerFailed)
      } catch (error) {
        this.#listenerFailed(error)
      }
    }
    return listeners.length > 0
  }
}

/** Names of all events, for those that listen to every one. */
export const AUTH_EVENTS = [
  'authn_login_success',
  'authn_login_fail',
  'authn_login_fail_max',
  'authn_password_change',
  'authn_password_reset',
  'user_created',
  'session_created',
  'session_renewed',
  'session_ended',
  'session_use_after_end',
  'session_lost_write',
  'authz_fail',
  'authz_admin',
  'excess_rate_limit_exceeded',
  'excess_sessions_exceeded',
  'malicious_csrf',
  'malicious_extraneous',
  'input_validation_fail',
  'crypt_decrypt_fail',
  'sensitive_update',
  'store_unavailable',
  'pocketbase_unavailable',
  'config_unsafe_override',
] as const satisfies readonly (keyof AuthEvents)[]
