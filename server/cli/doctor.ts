// pocketbase-session doctor: looks at everything a start needs, and says for each what is wrong and what to do.

import { accessSync, constants, existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { resolveConfig } from '../config.ts'
import { loadEnvironment } from '../environment.ts'
import { ConfigError } from '../errors.ts'
import { createPocketBase } from '../pocketbase/client.ts'
import { readStatus } from '../pocketbase/launcher/status-file.ts'
import { openStore } from '../stores/open.ts'
import { findAtStart } from '../check-at-start.ts'
import { inThisPlace } from './command-line.ts'
import { isNodeNewEnough, WANTED_NODE } from './node-version.ts'
import type { ServerSettings } from '../environment.ts'
import type { Command, Io } from './io.ts'

interface Finding {
  readonly ok: boolean
  readonly what: string
}

const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore }

export const doctor: Command = async (args, io) => {
  parseArgs({ args: [...args], options: {} })
  const findings = [checkNode(process.versions.node), ...(await checkSettings(io))]
  for (const { ok, what } of findings) io.print(inThisPlace(`${ok ? '✓' : '✗'} ${what}`))
  return findings.every(({ ok }) => ok) ? 0 : 1
}

function checkNode(version: string): Finding {
  const ok = isNodeNewEnough(version)
  return { ok, what: ok ? `Node ${version}` : `Node ${version} is too old: ${WANTED_NODE} or newer is needed` }
}

async function checkSettings(io: Io): Promise<readonly Finding[]> {
  let settings: ServerSettings
  try {
    settings = loadEnvironment(io.env, io.cwd)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((what) => ({ ok: false, what }))
  }
  return [
    { ok: true, what: 'configuration' },
    checkDataDir(settings),
    ...(await checkStore(settings)),
    ...(await checkPocketBase(settings)),
  ]
}

function checkDataDir({ dataDir }: ServerSettings): Finding {
  if (!existsSync(dataDir)) return { ok: true, what: `data folder ${dataDir}: will be made at the first start` }
  try {
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
    return { ok: true, what: `data folder ${dataDir}` }
  } catch {
    return { ok: false, what: `data folder ${dataDir} cannot be written: give it to this user, or set DATA_DIR` }
  }
}

async function checkStore(settings: ServerSettings): Promise<readonly Finding[]> {
  const what = `session store (${settings.store.split(':')[0]})`
  try {
    const store = await openStore(settings.store)
    await store.open()
    await store.ping()
    const warnings = (await store.warnings?.()) ?? []
    await store.close()
    return [{ ok: true, what }, ...warnings.map((warning) => ({ ok: false, what: `${what}: ${warning}` }))]
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return [{ ok: false, what: `${what}: ${why}; see SESSION_STORE` }]
  }
}

async function checkPocketBase(settings: ServerSettings): Promise<readonly Finding[]> {
  const url = settings.pocketbaseUrl ?? runningUrl(settings)
  if (url === null) {
    return [{ ok: true, what: 'PocketBase: not running; "pocketbase-session serve" starts one' }]
  }
  const config = resolveConfig({ ...settings.authOptions({ port: settings.port, pocketbaseUrl: url }), logger: SILENT })
  try {
    const report = await createPocketBase(config).report()
    const findings = findAtStart(report, config).map(({ message }) => ({ ok: false, what: `PocketBase: ${message}` }))
    return [{ ok: true, what: `PocketBase at ${url}` }, ...findings]
  } catch {
    // The cause is the network's; what to do is the same for all of them.
    return [{ ok: false, what: `PocketBase at ${url} does not answer: start it, or correct POCKETBASE_URL` }]
  }
}

function runningUrl({ dataDir }: ServerSettings): string | null {
  const status = readStatus(dataDir)
  return status === null || status.pid === null ? null : status.url
}

function ignore(): void {
  // A command prints its findings itself.
}
