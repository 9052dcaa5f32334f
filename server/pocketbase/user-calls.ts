// Looking at users, as the caller may see them: PocketBase's rules decide, never a superuser's token.

import type { UserRecord } from '../config.ts'
import { unexpected } from './answer.ts'
import type { Answer } from './answer.ts'
import { userFrom } from './authenticated.ts'
import type { Client, PocketBasePort, WriteResult } from './port.ts'
import type { Upstream } from './upstream.ts'

type Search = Parameters<PocketBasePort['findUsers']>[0]

const MAX_FOUND = 20

export function userCalls(upstream: Upstream): Pick<PocketBasePort, 'findUsers' | 'getUser'> {
  return {
    findUsers: (input, client) => findUsers(upstream, input, client),
    getUser: (input, client) => getUser(upstream, input, client),
  }
}

async function findUsers(
  upstream: Upstream,
  search: Search,
  client: Client,
): Promise<WriteResult<readonly UserRecord[]>> {
  const byHook = await searchByHook(upstream, search, client)
  const missing = byHook.kind === 'refused' && byHook.status === 404
  const answer = missing ? await searchByRule(upstream, search, client) : byHook
  if (answer.kind === 'ok') return { kind: 'ok', value: usersFrom(answer.value, upstream.collection) }
  if (answer.kind === 'refused' && (answer.status === 401 || answer.status === 403)) return { kind: 'rejected' }
  throw unexpected('findUsers', answer)
}

/** Our route also finds addresses that are hidden, which a filter skips. */
function searchByHook({ ask }: Upstream, { token, query }: Search, client: Client): Promise<Answer<unknown>> {
  return ask({ name: 'findUsers', client, token }, (sdk) =>
    sdk.send<unknown>('/api/session/users', { method: 'GET', query: { query } }),
  )
}

function searchByRule(
  { ask, collection }: Upstream,
  { token, query }: Search,
  client: Client,
): Promise<Answer<unknown>> {
  return ask({ name: 'findUsers', client, token }, (sdk) => {
    const filter = sdk.filter('email ~ {:query}', { query })
    return sdk.collection(collection).getList(1, MAX_FOUND, { filter, sort: 'email', skipTotal: true })
  })
}

function usersFrom(value: unknown, collection: string): readonly UserRecord[] {
  const { items } = Object(value) as { readonly items?: unknown }
  if (!Array.isArray(items)) return []
  return items.map((item) => userFrom(item, collection)).filter((user) => user !== null)
}

async function getUser(
  { ask, collection }: Upstream,
  { token, userId }: Parameters<PocketBasePort['getUser']>[0],
  client: Client,
): Promise<WriteResult<UserRecord | null>> {
  const answer = await ask({ name: 'getUser', client, token }, (sdk) => sdk.collection(collection).getOne(userId))
  if (answer.kind === 'ok') return { kind: 'ok', value: userFrom(answer.value, collection) }
  if (answer.kind === 'refused' && answer.status === 404) return { kind: 'ok', value: null }
  if (answer.kind === 'refused') return { kind: 'rejected' }
  throw unexpected('getUser', answer)
}
