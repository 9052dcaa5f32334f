// The whole product in this process on a free port: the real app, with a clock that the test moves.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { createApp } from '../../server/app.ts'
import { resolveConfig, type AuthOptions } from '../../server/config.ts'
import { authKit, type Auth } from '../../server/create-auth.ts'
import { createServices, type OwnedServices } from '../../server/create-services.ts'
import { AUTH_EVENTS, type AuthEvents } from '../../server/events.ts'
import { createLogger } from '../../server/logger.ts'
import { createClock, type TestClock } from '../../server/testing/clock.ts'
import { BrowserClient } from './browser-client.ts'
import { startPocketBase, type TestPocketBase } from './pocketbase.ts'
import type { Express } from 'express'
import type { AddressInfo } from 'node:net'

export interface StartAppOptions extends Partial<AuthOptions> {
  /** The PocketBase behind it; without one a real one is started, and stopped by `close()`. */
  readonly pocketbase?: AuthOptions['pocketbase']
  /** Another app over the same services. */
  readonly build?: (auth: Auth, services: OwnedServices) => Express
  readonly production?: boolean
}

export interface SeenEvent {
  readonly name: keyof AuthEvents
  readonly event: Readonly<Record<string, unknown>>
}

export interface StartedApp {
  /** Where it listens, and its public origin unless the options name another. */
  readonly url: string
  readonly origin: string
  /** The PocketBase that was started for this app; `null` where the test brought its own. */
  readonly pocketbase: TestPocketBase | null
  readonly auth: Auth
  readonly services: OwnedServices
  readonly clock: TestClock
  /** Lines of the log, as they were written. */
  readonly logs: string[]
  /** Audit events in the order in which they came. */
  readonly events: SeenEvent[]
  /** A new browser on this app. */
  browser(headers?: Readonly<Record<string, string>>): BrowserClient
  close(): Promise<void>
}

/** A secret for tests; long enough, and nobody's. */
export const TEST_SECRET = 'test-only-Zq3v8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPs'

/** Starts the app. The store is in memory unless the options name one. */
export async function startApp({ build, production = false, ...options }: StartAppOptions = {}): Promise<StartedApp> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // A listening TCP server has an address with a port.
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const clock = createClock()
  const logs: string[] = []
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void logs.push(line) } })
  const pocketbase = options.pocketbase === undefined ? await startPocketBase({ appUrl: options.origin ?? url }) : null
  const defaults = {
    pocketbase: pocketbase?.url ?? '',
    origin: url,
    secret: TEST_SECRET,
    store: 'memory:',
    logger,
    now: clock.now,
  }
  const services = await createServices(resolveConfig({ ...defaults, ...options }, { production }))
  const events = recordEvents(services)
  const auth = authKit(services)
  server.on('request', build === undefined ? createApp(services) : build(auth, services))
  return {
    url,
    origin: services.config.origin,
    pocketbase,
    auth,
    services,
    clock,
    logs,
    events,
    browser: (headers = {}) => new BrowserClient(url, { origin: services.config.origin, headers }),
    async close() {
      server.closeAllConnections()
      server.close()
      await services.close()
      await pocketbase?.stop()
    },
  }
}

function recordEvents({ events }: OwnedServices): SeenEvent[] {
  const seen: SeenEvent[] = []
  for (const name of AUTH_EVENTS) {
    events.on(name, (event: object) => void seen.push({ name, event: { ...event } }))
  }
  return seen
}
