// The same handlers on our `session()` and on stock express-session with its MemoryStore: what ours promises, stock must be
// seen to break, or the test shows nothing.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import express, { type ErrorRequestHandler, type Express, type Request } from 'express'
import expressSession from 'express-session'
import { sendProblem } from '../../server/middleware/send-json.ts'
import { toProblem } from '../../server/middleware/to-problem.ts'
import { send, type Answer, type Sent } from './http-client.ts'
import { startWeb, type Web, type WebOptions } from './web.ts'

/** A started app. */
export interface Site {
  readonly origin: string
  send(path: string, sent?: Sent): Promise<Answer>
}

export interface OurSite extends Site {
  readonly web: Web
}

/** Fields of `req.session` by any name, as handlers of tests use them. */
export function fieldsOf(req: Request): Record<string, unknown> {
  return req.session as unknown as Record<string, unknown> // an app would declare its fields
}

/** What handlers of tests throw or pass on becomes a problem, as in an app with our error handler. */
export const problems: ErrorRequestHandler = (error, _req, res, next) => {
  if (res.headersSent) next(error)
  else sendProblem(res, toProblem(error))
}

/** Our session in front of the handlers. */
export async function startOurs(t: TestContext, options: WebOptions): Promise<OurSite> {
  const web = await startWeb(t, {
    ...options,
    build(app, services) {
      options.build(app, services)
      app.use(problems)
    },
  })
  return { origin: web.origin, send: web.send, web }
}

/** Stock express-session in front of the handlers. */
export async function startStock(
  t: TestContext,
  { build, store = new expressSession.MemoryStore() }: { build: (app: Express) => void; store?: expressSession.Store },
): Promise<Site> {
  const app = express()
  app.set('env', 'test') // no stack traces on the console
  app.use(expressSession({ secret: 'x'.repeat(40), resave: false, saveUninitialized: false, store }))
  build(app)
  app.use(problems)
  const origin = await listen(t, app)
  return { origin, send: (path, sent) => send(origin, path, sent) }
}

/** Serves an app on a free port; it ends with the test. */
export async function listen(t: TestContext, app: Express): Promise<string> {
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://localhost:${(server.address() as AddressInfo).port}` // a TCP server has a port
}

/** Headers with the cookies that the answers have set, a later answer winning. */
export function cookiesOf(...answers: readonly Answer[]): { readonly headers: { readonly cookie: string } } {
  const jar = new Map<string, string>()
  for (const { cookies } of answers) {
    for (const line of cookies) {
      const pair = line.split(';')[0] ?? ''
      jar.set(pair.split('=')[0] ?? '', pair)
    }
  }
  return { headers: { cookie: [...jar.values()].join('; ') } }
}

/** A place where requests wait until the test lets them go. */
export function gate(): { arrive(): Promise<void>; arrived(count: number): Promise<void>; open(): void } {
  let release = (): void => {}
  const opened = new Promise<void>((resolve) => {
    release = resolve
  })
  let waiting = 0
  const watchers: { readonly count: number; readonly resolve: () => void }[] = []
  return {
    arrive() {
      waiting += 1
      for (const { count, resolve } of watchers) if (waiting >= count) resolve()
      return opened
    },
    arrived: (count) =>
      new Promise((resolve) => (waiting >= count ? resolve() : void watchers.push({ count, resolve }))),
    open: () => release(),
  }
}
