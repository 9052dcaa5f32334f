// Config → the services that flows, guards and pages share, and what runs beside the requests.

import { checkAtStart } from './check-at-start.ts'
import { ConfigError } from './errors.ts'
import { AuthEventEmitter } from './events.ts'
import { Identity } from './identity.ts'
import { inBackground } from './lib/background.ts'
import { retry, type Retrying } from './lib/retry.ts'
import { logEvents } from './log-events.ts'
import { createPocketBase } from './pocketbase/client.ts'
import { Limiter } from './sessions/limiter.ts'
import { Sessions } from './sessions/manager.ts'
import { Secrets } from './sessions/secrets.ts'
import { openStore, type OpenStoreOptions } from './stores/open.ts'
import type { Config } from './config.ts'
import type { Services } from './services.ts'
import type { SessionReport } from './sessions/session-events.ts'
import type { Store } from './sessions/store.ts'

const SWEEP_EVERY_MS = 10 * 60_000

export interface OwnedServices extends Services {
  /** Writes what waits and closes the store. */
  close(): Promise<void>
}

/**
 * Makes the services and starts what runs beside the requests: opening the store, the look at PocketBase, the sweep.
 * @throws ConfigError where the store's URL or driver is wrong; a store or PocketBase that is away is tried again.
 */
export async function createServices(given: Config): Promise<OwnedServices> {
  const store = typeof given.store === 'string' ? await openStore(given.store, storeOptions(given)) : given.store
  const profiles = { missing: false }
  const config = withProfileSwitch(given, profiles)
  const services = assemble(config, store)
  logOverrides(services)
  const opening = keepOpening(store, services)
  const check = checkAtStart(services, () => {
    profiles.missing = true
  })
  const sweeping = setInterval(() => inBackground(() => services.sessions.sweep(), report), SWEEP_EVERY_MS).unref()
  const report = (error: unknown): void => services.logger.warn({ err: error }, 'expired sessions could not be deleted')
  const close = async (): Promise<void> => {
    clearInterval(sweeping)
    opening.stop()
    check.stop()
    await closeStore(services, store)
  }
  await Promise.all([opening.first, check.first])
  const refusal = opening.refusal()
  if (refusal === undefined) return { ...services, close }
  await close()
  throw refusal
}

function storeOptions({ storeTimeoutMs: timeoutMs, cache }: Config): OpenStoreOptions {
  return cache === undefined ? { timeoutMs } : { timeoutMs, cache }
}

function assemble(config: Config, store: Store): Services {
  const { logger, now } = config
  const events = new AuthEventEmitter((error) => logger.error({ err: error }, 'a listener of an audit event failed'))
  logEvents(events, logger)
  // What the manager reports is a part of the audit events, name by name.
  const audit = events as { emit(name: string, event: object): boolean }
  const report: SessionReport = (name, event) => void audit.emit(name, event)
  const sessions = new Sessions({
    store,
    secrets: new Secrets(config.secrets),
    policy: config.session,
    cookieName: config.cookie.name,
    timeoutMs: config.storeTimeoutMs,
    now,
    report,
    ...(config.cache === false ? { cacheBytes: 0 } : {}),
  })
  const limiter = new Limiter(sessions, now)
  const pocketbase = createPocketBase(config)
  const parts = { config, sessions, limiter, pocketbase, events, logger, now }
  return { ...parts, identity: new Identity(parts) }
}

interface Opening extends Retrying {
  /** Why the store can never be opened as it is configured, if that is so. */
  readonly refusal: () => ConfigError | undefined
}

/** Tries again until the store is there. Until then its calls fail, and requests get a 503. */
function keepOpening(store: Store, { config, logger }: Services): Opening {
  let refusal: ConfigError | undefined
  const open = async (): Promise<void> => {
    if (refusal !== undefined) return
    await store.open()
    logger.info({ store: store.name }, 'the session store is open')
    for (const warning of (await store.warnings?.()) ?? []) logger.warn({ store: store.name }, warning)
  }
  const failed = (error: unknown, count: number): void => {
    if (count > 1) return
    if (error instanceof ConfigError) refusal = error
    else logger.error({ err: error, store: store.name }, 'the session store cannot be opened; trying again')
  }
  return { ...retry(open, { waitMs: config.storeTimeoutMs, failed }), refusal: () => refusal }
}

/** The config of a PocketBase that may turn out to have no profiles: known only once it was asked. */
function withProfileSwitch(config: Config, profiles: { readonly missing: boolean }): Config {
  return Object.freeze({
    ...config,
    get profile() {
      return profiles.missing ? false : config.profile
    },
  })
}

function logOverrides({ config, events }: Services): void {
  for (const [name, isSet] of Object.entries(config.unsafe)) {
    if (isSet) events.emit('config_unsafe_override', { name })
  }
}

async function closeStore({ sessions, logger }: Services, store: Store): Promise<void> {
  try {
    await sessions.flush()
  } catch (error) {
    // A lost touch shortens an idle timeout; it is no reason not to close.
    logger.warn({ err: error }, 'the last uses of sessions could not be written')
  }
  await store.close()
}
