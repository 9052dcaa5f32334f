// Every password that a visitor types is checked here, within the budgets for wrong ones.

import type { Config } from '../config.ts'
import { ProblemError } from '../errors.ts'
import { isWholePassword } from '../lib/password-rules.ts'
import type { Authenticated, Client, PasswordResult } from '../pocketbase/port.ts'
import { RateLimitedError } from '../sessions/limiter.ts'
import { loginBudgets } from './login-budgets.ts'
import type { IdentityServices } from './services.ts'

export interface PasswordCredentials {
  readonly identity: string
  readonly password: string
}

/**
 * Asks PocketBase whether the password is right. Wrong ones use up the budgets of the account and of the address.
 * @throws ProblemError `invalid_credentials` (the same for an unknown user, a wrong password and a user who may not
 * sign in), `mfa_required`, `rate_limited`, `store_unavailable`, `pocketbase_unavailable`
 */
export async function checkPassword(
  services: IdentityServices,
  credentials: PasswordCredentials,
  client: Client,
): Promise<Authenticated> {
  const { account, address } = loginBudgets(services.config.secrets, credentials.identity, client.ip)
  try {
    const result = await services.limiter.attempt(
      [account, address],
      () => ask(services, credentials, client),
      ({ kind }) => kind === 'wrong' || kind === 'not_allowed',
    )
    if (result.kind === 'ok') {
      await services.limiter.clear(account)
      return result
    }
    services.events.emit('authn_login_fail', { why: result.kind, ip: client.ip })
    throw refusal(services.config, result.kind)
  } catch (error) {
    if (error instanceof RateLimitedError) {
      services.events.emit('authn_login_fail_max', { limit: error.kind, ip: client.ip })
    }
    throw error
  }
}

/** The one answer to everything that is wrong about credentials: it must not tell accounts that exist from others. */
export function invalidCredentials({ registration }: Pick<Config, 'registration'>): ProblemError {
  const unless = registration === 'verify-first' ? ', or the address has not been confirmed yet' : ''
  return new ProblemError('invalid_credentials', `The e-mail address or the password is not right${unless}.`)
}

async function ask(
  { pocketbase, config }: IdentityServices,
  { identity, password }: PasswordCredentials,
  client: Client,
): Promise<PasswordResult> {
  // bcrypt would cut it, and accept it with any other ending.
  if (!isWholePassword(password)) return { kind: 'wrong' }
  const result = await pocketbase.authWithPassword({ identity: identity.trim(), password }, client)
  if (result.kind !== 'ok' || config.registration !== 'verify-first') return result
  // Else a registration followed by a sign-in with the same password would tell whether the address was free.
  return result.user.verified === true ? result : { kind: 'not_allowed' }
}

function refusal(config: Config, kind: Exclude<PasswordResult['kind'], 'ok'>): ProblemError {
  if (kind !== 'mfa') return invalidCredentials(config)
  return new ProblemError('mfa_required', 'This account asks for a second factor, which is not supported here yet.')
}
