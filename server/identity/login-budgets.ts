// How many wrong passwords are allowed: per account from one address, and from one address over all accounts.

import { countedAddress } from '../lib/coarse-address.ts'
import { derivedKeys } from '../lib/derived-keys.ts'
import { mac } from '../lib/keyed-mac.ts'
import type { Budget } from '../sessions/limiter.ts'

const WINDOW_MS = 15 * 60_000
const PER_ACCOUNT = 10
const PER_ADDRESS = 50

export interface LoginBudgets {
  readonly account: Budget
  readonly address: Budget
}

/** Budgets of one attempt. What the visitor typed goes into the store as an HMAC only: a stolen store lists no accounts. */
export function loginBudgets(secrets: readonly string[], identity: string, ip: string): LoginBudgets {
  const address = countedAddress(ip) || 'unknown'
  const account = mac(derivedKeys(secrets, 'login-budgets')[0], canonical(identity), address).toString('base64url')
  return {
    account: { name: `login:account:${account}`, kind: 'login_account', limit: PER_ACCOUNT, windowMs: WINDOW_MS },
    address: { name: `login:address:${address}`, kind: 'login_address', limit: PER_ADDRESS, windowMs: WINDOW_MS },
  }
}

/** PocketBase ignores the case of an e-mail address, so other spellings must not open new budgets. */
function canonical(identity: string): string {
  return identity.normalize('NFKC').trim().toLowerCase()
}
