// PocketBase as the unit tests of our HTTP layer need it: users in memory, and switches for what it may do to us.

import { PocketBaseUnavailableError } from '../../server/errors.ts'
import type { UserRecord } from '../../server/config.ts'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'

export interface MemoryPocketBase extends PocketBasePort {
  /** By id. A test changes them as an administrator would. */
  readonly users: Map<string, UserRecord>
  /** Recipients of mails. */
  readonly mails: string[]
  /** How many password checks and refreshes were asked for. */
  readonly asked: { logins: number; refreshes: number }
  down: boolean
}

export const PASSWORD = 'correct horse battery'
const FAR = 4_000_000_000_000

export function memoryPocketBase(): MemoryPocketBase {
  const users = new Map<string, UserRecord>()
  const asked = { logins: 0, refreshes: 0 }
  const mails: string[] = []
  const byEmail = (email: string): UserRecord | undefined => [...users.values()].find((user) => user.email === email)
  const self: MemoryPocketBase = {
    ...unused(),
    users,
    mails,
    asked,
    down: false,
    async authWithPassword({ identity, password }) {
      asked.logins++
      reachable(self)
      const user = byEmail(identity)
      if (user === undefined || password !== PASSWORD) return { kind: 'wrong' }
      return { kind: 'ok', user, token: `token-of-${user.id}`, expiresAt: FAR }
    },
    async authRefresh(token) {
      asked.refreshes++
      reachable(self)
      const user = users.get(token.replace('token-of-', ''))
      return user === undefined ? { kind: 'rejected' } : { kind: 'ok', user, token, expiresAt: FAR }
    },
    async requestPasswordReset(email) {
      reachable(self)
      mails.push(email)
    },
    async requestVerification(email) {
      reachable(self)
      mails.push(email)
    },
    async confirmPasswordReset({ token }) {
      return token === 'good-token.e30.x' ? { kind: 'ok', value: undefined } : { kind: 'rejected' }
    },
  }
  return self
}

function reachable({ down }: { readonly down: boolean }): void {
  if (down) throw new PocketBaseUnavailableError(new Error('switched off'))
}

/** What no unit test of the HTTP layer asks for. */
function unused(): PocketBasePort {
  const never = (): Promise<never> => Promise.reject(new Error('not part of this test'))
  return {
    url: 'http://127.0.0.1:1',
    collection: 'users',
    authWithPassword: never,
    authRefresh: never,
    register: never,
    requestPasswordReset: never,
    confirmPasswordReset: never,
    requestVerification: never,
    confirmVerification: never,
    changePassword: never,
    rotateTokens: never,
    getProfile: never,
    setProfile: never,
    findUsers: never,
    getUser: never,
    report: never,
  }
}
