// What PocketBase is and has: asked at start, with and without our hooks.

import type { Client, Report } from './port.ts'
import type { Upstream } from './upstream.ts'

/**
 * Sent as X-Real-IP by the report (RFC 5737: nobody's address). A PocketBase that trusts the header reports it as
 * `seenIp`; otherwise all visitors share our own address in its limits and logs.
 */
export const PROBE_ADDRESS = '192.0.2.1'

const PROBE: Client = { ip: PROBE_ADDRESS, userAgent: 'pocketbase-session' }

/** @throws PocketBaseUnavailableError */
export async function report(upstream: Upstream): Promise<Report> {
  const answer = await upstream.ask({ name: 'report', client: PROBE }, (sdk) =>
    sdk.send<unknown>('/api/session/report', { method: 'GET' }),
  )
  return answer.kind === 'ok' ? reportFrom(answer.value) : reportByProbing(upstream)
}

function reportFrom(value: unknown): Report {
  // Checked member by member.
  const { version, tokenSeconds, seenIp, profiles, roles } = Object(value) as Readonly<Record<string, unknown>>
  return {
    hooks: true,
    version: typeof version === 'string' ? version : null,
    tokenLifeMs: typeof tokenSeconds === 'number' ? tokenSeconds * 1000 : null,
    seenIp: typeof seenIp === 'string' ? seenIp : null,
    profiles: profiles === true,
    roles: roles === true,
  }
}

/** Without our hooks a guest can still tell what exists: a list of nothing is 200, a missing collection 404. */
async function reportByProbing(upstream: Upstream): Promise<Report> {
  const { collection, profile } = upstream
  const profiles = profile !== false && (await probe(upstream, profile.collection))
  // A filter on a field that does not exist is a 400.
  const roles = await probe(upstream, collection, 'role = ""')
  return { hooks: false, version: null, tokenLifeMs: null, seenIp: null, profiles, roles }
}

async function probe({ ask }: Upstream, collection: string, filter = ''): Promise<boolean> {
  const answer = await ask({ name: 'report', client: PROBE }, (sdk) =>
    sdk.collection(collection).getList(1, 1, { filter, skipTotal: true }),
  )
  return answer.kind === 'ok' || (answer.kind === 'refused' && answer.status === 403 && filter === '')
}
