// What must not start: options that are well-formed one by one but open a hole together or in production.
// Each check names its one override under `unsafe`.

import { statSync } from 'node:fs'
import { MIN_SECRET_BYTES } from './config-schema.ts'
import type { CheckedOptions } from './config-schema.ts'

/** One thing that is wrong: where, as a path of option names, and what to do. */
export interface ConfigProblem {
  readonly path: string
  readonly message: string
  /** The name under `unsafe` that lifts it. */
  readonly override?: string
}

interface Check {
  readonly path: string
  readonly applies: 'always' | 'production'
  /** Lifts the check. */
  readonly override?: keyof CheckedOptions['unsafe']
  /** What it reads; a malformed one has its own problem. */
  readonly needs: readonly (keyof CheckedOptions)[]
  /** What is wrong, or `undefined`. */
  readonly find: (options: CheckedOptions) => string | undefined
}

/** Secrets that everybody knows from a README. */
const PLACEHOLDER =
  /change.?me|placeholder|your.?secret|example|password|keyboard.?cat|0123456789|abcdefgh|secret.?secret/i
const MIN_DISTINCT = 10
const STORE_SCHEMES = /^(?:sqlite|memory|mongodb(?:\+srv)?|postgres(?:ql)?|rediss?(?:\+sentinel|\+cluster)?):/

const CHECKS: readonly Check[] = [
  { path: 'secret', applies: 'always', override: 'weakSecret', needs: ['secret'], find: findShortSecret },
  { path: 'secret', applies: 'production', override: 'weakSecret', needs: ['secret'], find: findGuessableSecret },
  { path: 'origin', applies: 'always', override: 'insecureCookies', needs: ['origin'], find: findPlainOrigin },
  { path: 'origin', applies: 'production', override: 'insecureCookies', needs: ['origin'], find: findPlainLoopback },
  { path: 'trustProxy', applies: 'always', override: 'trustAllProxies', needs: ['trustProxy'], find: findTrustAll },
  { path: 'cookie.name', applies: 'always', needs: ['origin', 'cookie'], find: findImpossibleName },
  {
    path: 'pocketbase.url',
    applies: 'production',
    override: 'plainPocketBase',
    needs: ['pocketbase'],
    find: findPlainPocketBase,
  },
  { path: 'store', applies: 'always', needs: ['store'], find: findUnknownStore },
  {
    path: 'store',
    applies: 'production',
    override: 'memoryStoreInProduction',
    needs: ['store'],
    find: findMemoryStore,
  },
  { path: 'store', applies: 'production', override: 'readableFiles', needs: ['store'], find: findReadableStore },
]

/** Everything that must stop the start. Messages show no value. */
export function findUnsafe(options: Partial<CheckedOptions>, production: boolean): readonly ConfigProblem[] {
  const problems: ConfigProblem[] = []
  for (const { path, applies, override, needs, find } of CHECKS) {
    if (applies === 'production' && !production) continue
    if (override !== undefined && options.unsafe?.[override]) continue
    if (!needs.every((name) => name in options)) continue
    // All that the check reads is there.
    const message = find(options as CheckedOptions)
    if (message === undefined) continue
    problems.push(override === undefined ? { path, message } : { path, message, override })
  }
  return problems
}

/** Whether `host` of a URL is this machine. */
export function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true
  return /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** Whether others than the owner may read a file. A file that is not there is nobody's. */
export function isReadableByOthers(file: string): boolean {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode
  // Windows has no such bits.
  return mode !== undefined && process.platform !== 'win32' && (mode & 0o077) !== 0
}

function findShortSecret({ secret }: Pick<CheckedOptions, 'secret'>): string | undefined {
  if (secret.every((one) => Buffer.byteLength(one) >= MIN_SECRET_BYTES)) return undefined
  return `each secret needs at least ${MIN_SECRET_BYTES} random bytes; "pocketbase-session secret" makes one`
}

function findGuessableSecret({ secret }: CheckedOptions): string | undefined {
  if (findShortSecret({ secret }) !== undefined) return undefined
  if (secret.every((one) => new Set(one).size >= MIN_DISTINCT && !PLACEHOLDER.test(one))) return undefined
  return 'a secret is a placeholder or repeats itself; "pocketbase-session secret" makes a random one'
}

function findPlainOrigin({ origin }: CheckedOptions): string | undefined {
  const { protocol, hostname } = new URL(origin)
  if (protocol === 'https:' || isLoopback(hostname)) return undefined
  return 'must be https: over plain http anybody on the way can read the session cookie'
}

function findPlainLoopback({ origin }: CheckedOptions): string | undefined {
  const { protocol, hostname } = new URL(origin)
  return protocol === 'http:' && isLoopback(hostname) ? 'must be the public https origin in production' : undefined
}

function findTrustAll({ trustProxy }: CheckedOptions): string | undefined {
  if (trustProxy !== Infinity) return undefined
  return 'must be the number of proxies: trusting all lets every client choose its own address'
}

function findImpossibleName({ origin, cookie }: CheckedOptions): string | undefined {
  if (origin.startsWith('https:') || cookie.name === undefined || !/^__(host|secure|http)-/i.test(cookie.name)) {
    return undefined
  }
  return 'a name with this prefix is refused by browsers over plain http'
}

function findPlainPocketBase({ pocketbase }: CheckedOptions): string | undefined {
  const { protocol, hostname } = new URL(pocketbase.url)
  if (protocol === 'https:' || isLoopback(hostname)) return undefined
  return 'must be https: passwords and tokens would cross the network in the clear'
}

function findUnknownStore({ store }: CheckedOptions): string | undefined {
  if (typeof store !== 'string' || STORE_SCHEMES.test(store)) return undefined
  return 'must be sqlite: and a path, memory:, or a URL like redis://…, postgres://… or mongodb://…'
}

function findMemoryStore({ store }: CheckedOptions): string | undefined {
  const memory = typeof store === 'string' ? store.startsWith('memory:') : store.name === 'memory'
  return memory
    ? 'the memory store forgets all sessions at a restart; use sqlite:, redis:, postgres: or mongodb:'
    : undefined
}

function findReadableStore({ store }: CheckedOptions): string | undefined {
  if (typeof store !== 'string' || !store.startsWith('sqlite:')) return undefined
  const file = store.slice('sqlite:'.length).replace(/^\/\//, '').split('?')[0] ?? ''
  return isReadableByOthers(file) ? 'the file can be read by other users of this machine; chmod 600 it' : undefined
}
