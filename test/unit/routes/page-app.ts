// An app that serves our pages to one visitor: real pages, guards and session manager, PocketBase as a plain object.

import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import express from 'express'
import { resolveConfig, type AuthOptions, type UserRecord } from '../../../server/config.ts'
import { AuthEventEmitter } from '../../../server/events.ts'
import type { Identity } from '../../../server/identity.ts'
import { errorHandler, notFound } from '../../../server/middleware/error-handler.ts'
import { REQUEST_SESSION, type RequestSession } from '../../../server/middleware/request-session.ts'
import { securityHeaders } from '../../../server/middleware/security-headers.ts'
import type { PocketBasePort } from '../../../server/pocketbase/port.ts'
import { pagesRouter, sendPage, type PageName, type PagesOptions } from '../../../server/routes/pages.ts'
import type { PageExtras } from '../../../server/routes/pages/page-load.ts'
import type { Services } from '../../../server/services.ts'
import type { LiveSession } from '../../../server/sessions/live-session.ts'
import { Limiter } from '../../../server/sessions/limiter.ts'
import { openSessions, SECRET } from '../../support/sessions.ts'

export const ADA: UserRecord = {
  id: 'ada000000000001',
  collectionId: 'users',
  collectionName: 'users',
  email: 'ada@example.com',
  verified: false,
  role: 'user',
}

export interface PageAppOptions {
  readonly config?: Partial<AuthOptions>
  readonly pages?: PagesOptions
  readonly user?: UserRecord
  readonly session?: Partial<RequestSession>
  readonly pocketbase?: Partial<PocketBasePort>
  /** What `POST /fail` shows again. */
  readonly failing?: { readonly page: PageName; readonly extras: PageExtras }
}

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const draft = { data: {}, remembered: false, device: 'Firefox on Linux', ip: '203.0.113.0/24' }

export async function startPages(t: TestContext, options: PageAppOptions = {}) {
  const { sessions, clock } = await openSessions()
  const config = resolveConfig({
    pocketbase: 'http://127.0.0.1:9',
    origin: 'http://localhost:3000',
    secret: SECRET,
    store: 'memory:',
    logger: quiet,
    now: clock.now,
    ...options.config,
  })
  const services: Services = {
    config,
    sessions,
    // Only what the pages ask.
    pocketbase: {
      getProfile: () => Promise.resolve({ kind: 'ok', value: null }),
      ...options.pocketbase,
    } as PocketBasePort,
    identity: { revalidate: () => Promise.resolve('valid') } as unknown as Identity,
    limiter: new Limiter(sessions, clock.now),
    events: new AuthEventEmitter(() => {}),
    logger: quiet,
    now: clock.now,
  }
  const { user } = options
  const live = user && (await sessions.create({ ...draft, signedIn: signedIn(user, clock.now()) }))
  const url = await listen(t, services, { ...options, live })
  return { url, services, clock, live }
}

function signedIn(user: UserRecord, now: number) {
  return { user, token: 'token', tokenExpiresAt: now + 86_400_000, amr: ['pwd'], collection: 'users' }
}

async function listen(
  t: TestContext,
  services: Services,
  options: PageAppOptions & { readonly live: LiveSession | undefined },
): Promise<string> {
  const app = express()
  app.use(securityHeaders(services))
  app.use((req, res, next) => {
    const session: Partial<RequestSession> = {
      state: options.live === undefined ? 'anonymous' : 'live',
      cookieState: options.live === undefined ? 'absent' : 'valid',
      cookieId: options.live?.id ?? null,
      session: options.live ?? null,
      ended: null,
      error: null,
      user: options.user ?? null,
      stale: false,
      client: { ip: '203.0.113.5', userAgent: 'test' },
      ...options.session,
    }
    Object.assign(req, { [REQUEST_SESSION]: { ...session, req, res } })
    next()
  })
  app.post('/fail', async (req, _res) => {
    const { page, extras } = options.failing ?? { page: 'error', extras: {} }
    const session = (req as unknown as Record<symbol, RequestSession>)[REQUEST_SESSION] // set above
    if (session !== undefined) await sendPage(services, session, page, extras)
  })
  app.use(pagesRouter(services, options.pages))
  app.use(notFound(), errorHandler(services, sendPage))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP address has a port
}

export interface Visit {
  readonly status: number
  /** The first value of a header, `null` without. */
  header(name: string): string | null
  readonly text: string
}

/** As a browser that navigates, without following redirects. (`fetch` says `Sec-Fetch-Mode: cors` whatever one does.) */
export async function visit(
  url: string,
  {
    method = 'GET',
    headers = {},
  }: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Visit> {
  const asked = request(url, { method, headers: { accept: 'text/html,*/*;q=0.8', ...headers } }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage] // the event's one argument
  const text = await readText(response)
  return {
    status: response.statusCode ?? 0,
    header: (name) => [response.headers[name] ?? null].flat()[0] ?? null,
    text,
  }
}
