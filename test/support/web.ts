// The HTTP layer alone on a free port: real sessions in memory, PocketBase in memory, a clock that the test moves.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import express, { type Express } from 'express'
import { resolveConfig, type AuthOptions, type Config, type UserRecord } from '../../server/config.ts'
import { AuthEventEmitter, AUTH_EVENTS } from '../../server/events.ts'
import { Identity } from '../../server/identity.ts'
import { session } from '../../server/middleware/session.ts'
import type { Services } from '../../server/services.ts'
import { Limiter } from '../../server/sessions/limiter.ts'
import type { LiveSession } from '../../server/sessions/live-session.ts'
import { Sessions } from '../../server/sessions/manager.ts'
import { Secrets } from '../../server/sessions/secrets.ts'
import type { Store } from '../../server/sessions/store.ts'
import { createMemoryStore } from '../../server/stores/memory.ts'
import { send, type Answer, type Sent } from './http-client.ts'
import { memoryPocketBase, type MemoryPocketBase } from './memory-pocketbase.ts'
import { testClock, type TestClock } from './sessions.ts'

export interface Web {
  readonly origin: string
  readonly services: Services
  readonly pocketbase: MemoryPocketBase
  readonly clock: TestClock
  /** Names and payloads of audit events, as they came. */
  readonly events: { readonly name: string; readonly event: object }[]
  /** Everything that was logged, as JSON. */
  readonly log: string[]
  send(path: string, sent?: Sent): Promise<Answer>
  /** A user, and a session of theirs with its cookie. */
  signIn(user?: Partial<UserRecord>): Promise<{ readonly live: LiveSession; readonly cookie: string }>
  /** The `name=value` of a live session without a user. */
  anonymous(): Promise<{ readonly live: LiveSession; readonly cookie: string }>
}

export interface WebOptions {
  readonly options?: Partial<AuthOptions>
  readonly store?: Store
  /** Mounts what is to be tested, behind `session()`. */
  readonly build: (app: Express, services: Services) => void
  /** Mounts something in front of `session()`. */
  readonly before?: (app: Express, services: Services) => void
}

const SECRET = '0123456789abcdef0123456789abcdefghijklmnopqrstuvwxyz'

/** Starts it; it ends with the test. */
export async function startWeb(t: TestContext, web: WebOptions): Promise<Web> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const origin = `http://localhost:${(server.address() as AddressInfo).port}` // a TCP server has a port
  const parts = await makeServices(origin, web)
  const { services } = parts
  const app = express()
  web.before?.(app, services)
  app.use(session(services))
  web.build(app, services)
  server.on('request', app)
  const cookieOf = (live: LiveSession): string =>
    `${services.config.cookie.name}=${services.sessions.cookieValue(live.id)}`
  const base = { data: {}, remembered: false, device: 'Firefox on Linux', ip: '192.0.2.0' }
  return {
    ...parts,
    origin,
    send: (path, sent) => send(origin, path, sent),
    async signIn(change = {}) {
      const user = userRecord(change)
      parts.pocketbase.users.set(user.id, user)
      const signedIn = { user, token: `token-of-${user.id}`, tokenExpiresAt: 4e12, collection: 'users', amr: ['pwd'] }
      const live = await services.sessions.create({ ...base, signedIn })
      return { live, cookie: cookieOf(live) }
    },
    async anonymous() {
      const live = await services.sessions.create({ ...base, signedIn: null })
      return { live, cookie: cookieOf(live) }
    },
  }
}

export function userRecord(change: Partial<UserRecord> = {}): UserRecord {
  const id = 'user00000000001'
  return {
    id,
    collectionId: 'c',
    collectionName: 'users',
    email: 'ann@example.com',
    verified: true,
    role: 'user',
    ...change,
  }
}

async function makeServices(origin: string, given: Pick<WebOptions, 'options' | 'store'>) {
  const clock = testClock()
  const log: string[] = []
  const note = (details: object, message?: string): void => void log.push(JSON.stringify({ message, ...details }))
  const logger = { debug: note, info: note, warn: note, error: note }
  const config = resolveConfig(
    { pocketbase: 'http://127.0.0.1:1', origin, secret: SECRET, logger, now: clock.now, ...given.options },
    { production: false },
  )
  const events = new AuthEventEmitter((error) => log.push(String(error)))
  const seen: { name: string; event: object }[] = []
  for (const name of AUTH_EVENTS) events.on(name, (event: object) => void seen.push({ name, event }))
  const store = given.store ?? createMemoryStore()
  await store.open()
  const sessions = openSessions(config, store)
  const pocketbase = memoryPocketBase()
  const some = {
    config,
    sessions,
    pocketbase,
    limiter: new Limiter(sessions, clock.now),
    events,
    logger,
    now: clock.now,
  }
  const services: Services = { ...some, identity: new Identity(some) }
  return { services, pocketbase, clock, log, events: seen }
}

function openSessions(config: Config, store: Store): Sessions {
  const secrets = new Secrets(config.secrets)
  const { cookie, session: policy, storeTimeoutMs: timeoutMs, now } = config
  return new Sessions({ store, secrets, policy, cookieName: cookie.name, timeoutMs, now, report: () => undefined })
}
