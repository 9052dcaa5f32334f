// For administrators: find a user by e-mail, see that user's sessions.

import { adminUser, type AdminUser } from '../../controllers/admin/admin-user.ts'
import { askAsUser } from '../../controllers/auth/ask-as-user.ts'
import { listedSession, type ListedSession } from '../../sessions/public-session.ts'
import { deviceItem } from './device-item.ts'
import { queryText, type LoadedPage, type PageInput } from './page-load.ts'

interface Selected {
  readonly user: AdminUser
  readonly sessions: readonly ListedSession[]
}

/** @throws ProblemError `store_unavailable`, `pocketbase_unavailable`, `session_expired` */
export async function loadAdmin(input: PageInput): Promise<LoadedPage<'admin'>> {
  const query = queryText(input, 'q').trim()
  const userId = queryText(input, 'user')
  const users = query === '' ? null : await findUsers(input, query)
  const selected = userId === '' ? null : await findUser(input, userId)
  const now = input.services.now()
  return {
    model: { query, users, selected },
    view: {
      query,
      users,
      selected: selected && { ...selected, sessions: selected.sessions.map((each) => deviceItem(each, now)) },
      missing: userId !== '' && selected === null,
    },
    fields: [],
  }
}

async function findUsers(input: PageInput, query: string): Promise<readonly AdminUser[]> {
  const { pocketbase, config } = input.services
  const users = await askAsUser(input, ({ token }) => pocketbase.findUsers({ token, query }, input.session.client))
  return users.map((user) => adminUser(config, user))
}

async function findUser(input: PageInput, userId: string): Promise<Selected | null> {
  const { pocketbase, sessions, config } = input.services
  const user = await askAsUser(input, ({ token }) => pocketbase.getUser({ token, userId }, input.session.client))
  if (user === null) return null
  const ownHandle = input.session.session?.record.handle
  const rows = await sessions.listByUser(user.id)
  return { user: adminUser(config, user), sessions: rows.map((row) => listedSession(row, ownHandle)) }
}
