// Calls that answer with a new token for a token.

import { unexpected } from './answer.ts'
import type { Answer } from './answer.ts'
import { authenticatedFrom, mayBeUserToken } from './authenticated.ts'
import type { Client, PocketBasePort, RefreshResult } from './port.ts'
import type { Upstream } from './upstream.ts'

export function tokenCalls(upstream: Upstream): Pick<PocketBasePort, 'authRefresh' | 'rotateTokens'> {
  return {
    authRefresh: (token, client) => authRefresh(upstream, token, client),
    rotateTokens: (token, client) => rotateTokens(upstream, token, client),
  }
}

async function authRefresh(upstream: Upstream, token: string, client: Client): Promise<RefreshResult> {
  if (!mayBeUserToken(token)) return { kind: 'rejected' }
  const { ask, collection } = upstream
  const call = { name: 'authRefresh', client, token }
  return refreshResult(upstream, call.name, await ask(call, (sdk) => sdk.collection(collection).authRefresh()))
}

async function rotateTokens(
  upstream: Upstream,
  token: string,
  client: Client,
): ReturnType<PocketBasePort['rotateTokens']> {
  if (!mayBeUserToken(token)) return { kind: 'rejected' }
  const call = { name: 'rotateTokens', client, token }
  const answer = await upstream.ask(call, (sdk) => sdk.send<unknown>('/api/session/rotate-tokens', { method: 'POST' }))
  // No such route: PocketBase runs without our hooks.
  if (answer.kind === 'refused' && answer.status === 404) return { kind: 'unsupported' }
  return refreshResult(upstream, call.name, answer)
}

function refreshResult({ collection }: Upstream, call: string, answer: Answer<unknown>): RefreshResult {
  if (answer.kind === 'ok') return { kind: 'ok', ...authenticatedFrom(answer.value, collection) }
  if (answer.kind === 'refused' && answer.status === 401) return { kind: 'rejected' }
  if (answer.kind === 'refused' && answer.status === 403) return { kind: 'not_allowed' }
  throw unexpected(call, answer)
}
