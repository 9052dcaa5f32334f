// Writes every audit event to the log. Payloads are allow-lists already, so they go there whole.

import { AUTH_EVENTS } from './events.ts'
import type { AuthEventEmitter, AuthEvents } from './events.ts'
import type { Logger } from './logger.ts'

/** What an operator should look at. */
const WARNINGS = /^(?:malicious|excess|crypt)_|_fail(?:_max)?$|_unavailable$|_lost_write$|_unsafe_override$/

export function logEvents(events: AuthEventEmitter, logger: Logger): void {
  for (const name of AUTH_EVENTS) {
    const level = WARNINGS.test(name) ? 'warn' : 'info'
    const write = (payload: AuthEvents[keyof AuthEvents][0]): void => logger[level]({ event: name, ...payload }, name)
    events.on(name, write)
  }
}
