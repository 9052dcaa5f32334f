// What an administrator sees of a user, by allow-list: a record may have fields that are meant for nobody else.

import type { Config, UserRecord } from '../../config.ts'

export interface AdminUser {
  readonly id: string
  readonly email: string
  readonly roles: readonly string[]
  readonly verified: boolean
}

export function adminUser({ roles }: Pick<Config, 'roles'>, user: UserRecord): AdminUser {
  return { id: user.id, email: user.email ?? '', roles: roles(user), verified: user.verified === true }
}
