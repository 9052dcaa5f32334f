// The official release file for this platform, from GitHub. It is taken only with the SHA-256 that stands here.

import { createHash } from 'node:crypto'
import type { Logger } from '../../logger.ts'
import { POCKETBASE_VERSION } from './binary-version.ts'
import { installExecutable } from './executable-file.ts'
import { extractEntry } from './zip-entry.ts'

export interface ReleaseOptions {
  readonly target: string
  readonly logger: Logger
  readonly platform?: NodeJS.Platform
  readonly arch?: string
  /** Where the archives are. */
  readonly baseUrl?: string
  /** Platform → SHA-256 of the archive. */
  readonly checksums?: Readonly<Record<string, string>>
}

const BASE_URL = 'https://github.com/pocketbase/pocketbase/releases/download'

/** From checksums.txt of the release 0.40.4. */
const CHECKSUMS: Readonly<Record<string, string>> = {
  linux_amd64: '9042ec818570e79c3628dadcd0a756c1496d9e1173918ec409d133c02f82e5fa',
  linux_arm64: '86095bf8ed9345954f0d2bf0a5fb9b57584ae60b77ebf3b6cd23a8003a3fd418',
  darwin_arm64: 'eeb619ea4f8a06421daedb946d133bed269fea334a760941d147f76befc25ebc',
  darwin_amd64: '052906521f09f6f23405cd804c930d2b7a1f8eee06d39b85723b5054b2acb4e4',
  windows_amd64: '81c30964508fa7df15fe4571a6ee39e059859c566dad03ebf181aebe07366c3e',
}

/** Without a network the next step must not wait for this one. */
const ANSWER_TIMEOUT_MS = 5000
const DOWNLOAD_TIMEOUT_MS = 5 * 60_000
const MAX_BYTES = 64 * 1024 * 1024

/** @throws Error that says why it cannot be had */
export async function installRelease(options: ReleaseOptions): Promise<void> {
  const { target, logger, baseUrl = BASE_URL, checksums = CHECKSUMS } = options
  const platform = releasePlatform(options.platform ?? process.platform, options.arch ?? process.arch)
  const expected = checksums[platform]
  if (expected === undefined) throw new Error(`there is no checked release for ${platform}`)
  const url = `${baseUrl}/v${POCKETBASE_VERSION}/pocketbase_${POCKETBASE_VERSION}_${platform}.zip`
  logger.info({ url }, 'downloading PocketBase')
  const archive = await download(url)
  const found = createHash('sha256').update(archive).digest('hex')
  if (found !== expected) throw new Error(`${url} has the SHA-256 ${found}, not ${expected}; it was thrown away`)
  const name = platform.startsWith('windows') ? 'pocketbase.exe' : 'pocketbase'
  await installExecutable(target, (temporary) => extractEntry(archive, name, temporary))
}

function releasePlatform(platform: NodeJS.Platform, arch: string): string {
  const os = platform === 'win32' ? 'windows' : platform
  return `${os}_${arch === 'x64' ? 'amd64' : arch}`
}

async function download(url: string): Promise<Buffer> {
  const answering = new AbortController()
  const timer = setTimeout(() => answering.abort(), ANSWER_TIMEOUT_MS)
  try {
    const signal = AbortSignal.any([answering.signal, AbortSignal.timeout(DOWNLOAD_TIMEOUT_MS)])
    const response = await fetch(url, { signal })
    clearTimeout(timer)
    if (!response.ok || response.body === null) throw new Error(`${url} answered ${response.status}`)
    return await readAtMost(response.body, MAX_BYTES)
  } catch (error) {
    throw new Error(`${url} cannot be downloaded: ${reasonOf(error, answering.signal.aborted)}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}

async function readAtMost(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.byteLength
    if (size > maxBytes) throw new Error('it is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function reasonOf(error: unknown, timedOut: boolean): string {
  if (timedOut) return `no answer within ${ANSWER_TIMEOUT_MS / 1000} s`
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}
