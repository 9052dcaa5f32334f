// Where a form or a guard sends a visitor: back to where they wanted to go, never in a circle.

import type { Config } from '../config.ts'
import { leadsTo, safeReturnTo } from '../lib/return-to.ts'

type Paths = Pick<Config, 'origin' | 'paths'>

/** The page that `value` (`returnTo`) names; `fallback` where it leaves the site, or leads to the login page or `/auth`. */
export function returnTarget(config: Paths, value: unknown, fallback: string): string {
  const target = safeReturnTo(value, config.origin, fallback)
  return leadsTo(target, config.paths.login) || leadsTo(target, '/auth') ? fallback : target
}

/** Address of the login page that leads back to `from`; without it where that is no page to come back to. */
export function loginPath(config: Paths, from?: string): string {
  const target = from === undefined ? '' : returnTarget(config, from, '')
  const { login } = config.paths
  if (target === '') return login
  return `${login}${login.includes('?') ? '&' : '?'}returnTo=${encodeURIComponent(target)}`
}
