// One run of the whole server: the listener, PocketBase, the services and the app, and their end in the right order.

import { createApp } from '../app.ts'
import { resolveConfig } from '../config.ts'
import { createServices, type OwnedServices } from '../create-services.ts'
import { startEmbedded } from '../pocketbase/launcher/embedded.ts'
import { listen, type Listener } from './listener.ts'
import type { Config } from '../config.ts'
import type { ServerSettings } from '../environment.ts'
import type { Logger } from '../logger.ts'
import type { EmbeddedPocketBase } from '../pocketbase/launcher/embedded.ts'

const DAY_MS = 86_400_000
/** How long requests may take to finish. */
const DRAIN_MS = 10_000

export interface StartOptions {
  readonly logger: Logger
  readonly env: Readonly<Record<string, string | undefined>>
  /** Gives up a start that is under way. */
  readonly signal: AbortSignal
}

export interface ServerRun {
  readonly config: Config
  readonly port: number
  /** `null` with `POCKETBASE_URL`. */
  readonly embedded: EmbeddedPocketBase | null
  /** Lets requests finish, then closes the store and PocketBase. */
  close(): Promise<void>
}

/** What runs so far, in the order of its end. */
interface Parts {
  listener?: Listener
  services?: OwnedServices
  embedded?: EmbeddedPocketBase
  isClosing: boolean
}

/** @throws CliError, ConfigError; what was started by then has been stopped */
export async function startServer(settings: ServerSettings, options: StartOptions): Promise<ServerRun> {
  const parts: Parts = { isClosing: false }
  try {
    return { ...(await start(settings, options, parts)), close: () => closeParts(parts) }
  } catch (error) {
    await closeParts(parts)
    throw error
  }
}

async function start(settings: ServerSettings, options: StartOptions, parts: Parts): Promise<Omit<ServerRun, 'close'>> {
  // First, so that a port in use is known before PocketBase is fetched; it answers 503 until the app is there.
  const listener = (parts.listener = await listen(settings))
  const { port } = listener
  const configFor = (pocketbaseUrl: string): Config =>
    resolveConfig({ ...settings.authOptions({ port, pocketbaseUrl }), logger: options.logger }, settings)
  let url = settings.pocketbaseUrl
  if (url === null) {
    parts.embedded = await startPocketBase(settings, configFor(LOOPBACK), options)
    url = parts.embedded.url
  }
  options.signal.throwIfAborted()
  const services = (parts.services = await createServices(configFor(url)))
  listener.serve(createApp(services, { isClosing: () => parts.isClosing }))
  return { config: services.config, port, embedded: parts.embedded ?? null }
}

/** Requests first, then what they need. One that fails to end does not keep the others running. */
async function closeParts(parts: Parts): Promise<void> {
  parts.isClosing = true
  try {
    await parts.listener?.close(DRAIN_MS)
  } finally {
    try {
      await parts.services?.close()
    } finally {
      await parts.embedded?.stop()
    }
  }
}

/** Stands for a PocketBase that is not there yet. */
const LOOPBACK = 'http://127.0.0.1:8090'

function startPocketBase(
  settings: ServerSettings,
  { origin, session }: Config,
  { logger, env, signal }: StartOptions,
): Promise<EmbeddedPocketBase> {
  return startEmbedded({
    dataDir: settings.dataDir,
    appUrl: origin,
    smtpUrl: settings.smtpUrl,
    mailFrom: settings.mailFrom,
    // A session must not end because its token does.
    tokenLifeMs: Math.max(session.idleTimeoutMs, session.rememberIdleTimeoutMs) + DAY_MS,
    bin: settings.pocketbaseBin,
    source: settings.pocketbaseSource,
    env,
    logger,
    signal,
  })
}
