// The identity over a store (in memory, unless told) and a scripted PocketBase, and requests as it sees them.

import { resolveConfig, type AuthOptions } from '../../server/config.ts'
import { AuthEventEmitter, type AuthEvents } from '../../server/events.ts'
import { Identity } from '../../server/identity.ts'
import type { RequestSession } from '../../server/middleware/request-session.ts'
import type { PocketBasePort } from '../../server/pocketbase/port.ts'
import type { Services } from '../../server/services.ts'
import type { LiveSession } from '../../server/sessions/live-session.ts'
import { Limiter } from '../../server/sessions/limiter.ts'
import { openSessions, SECRET, type OpenSessionsOptions } from './sessions.ts'
import { scriptedPocketBase } from './scripted-pocketbase.ts'

export interface OpenIdentityOptions {
  readonly pocketbase: Partial<PocketBasePort>
  readonly auth?: Partial<AuthOptions>
  /** Over which store, by which clock. */
  readonly sessions?: OpenSessionsOptions
}

const EVENTS = [
  'authn_login_success',
  'authn_login_fail',
  'authn_login_fail_max',
  'excess_sessions_exceeded',
  'pocketbase_unavailable',
] as const satisfies readonly (keyof AuthEvents)[]

export async function openIdentity({ pocketbase, auth = {}, sessions: options = {} }: OpenIdentityOptions) {
  const { sessions, store, clock, events: sessionEvents } = await openSessions(options)
  const silent = { debug() {}, info() {}, warn() {}, error() {} }
  const config = resolveConfig({
    pocketbase: 'http://127.0.0.1:8090',
    origin: 'http://localhost:3000',
    secret: SECRET,
    logger: silent,
    now: clock.now,
    ...auth,
  })
  const events = new AuthEventEmitter((error) => {
    throw error
  })
  const seen: { readonly name: string; readonly event: object }[] = []
  for (const name of EVENTS) events.on(name, (event: object) => void seen.push({ name, event }))
  const parts = {
    config,
    sessions,
    pocketbase: scriptedPocketBase(pocketbase),
    limiter: new Limiter(sessions, clock.now),
    events,
    logger: silent,
    now: clock.now,
  }
  const services: Services = { ...parts, identity: new Identity(parts) }
  return { services, identity: services.identity, sessions, store, clock, seen, sessionEvents }
}

export interface SeenRequest extends RequestSession {
  /** What the request was told, in order: `adopt`, `drop logout`, `stale true` … */
  readonly told: readonly string[]
}

/** A request with this session, as the identity sees it. */
export function requestWith(live: LiveSession | null, ip = '203.0.113.7'): SeenRequest {
  const told: string[] = []
  const request = {
    told,
    state: live === null ? ('anonymous' as const) : ('live' as const),
    cookieState: live === null ? ('absent' as const) : ('valid' as const),
    cookieId: live?.id ?? null,
    session: live,
    ended: null as RequestSession['ended'],
    error: null,
    stale: false,
    client: { ip, userAgent: '' },
    get user() {
      return this.session?.user() ?? null
    },
    unsaved: () => new Map<string, unknown>(),
    adopt(session: LiveSession) {
      told.push('adopt')
      this.session = session
    },
    drop(reason: NonNullable<RequestSession['ended']>['reason'], options: { keepCookie?: boolean } = {}) {
      told.push(options.keepCookie === true ? `drop ${reason}, keep cookie` : `drop ${reason}`)
      this.session = null
      this.ended = { reason, endedAt: 0 }
    },
    setStale(stale: boolean) {
      told.push(`stale ${stale}`)
      this.stale = stale
    },
  }
  // The identity touches neither `req` nor `res`: they are left out on purpose.
  return request as unknown as SeenRequest
}
