// Options → Config: complete, checked and frozen, or one error that names everything that is wrong.
// Shapes and defaults are in `config-schema.ts`, what is dangerous in `config-safety.ts`.

import { ConfigError } from './errors.ts'
import { findUnsafe } from './config-safety.ts'
import { optionsSchema } from './config-schema.ts'
import { createLogger } from './logger.ts'
import type { ConfigProblem } from './config-safety.ts'
import type { CheckedOptions } from './config-schema.ts'
import type { Logger } from './logger.ts'
import type { SessionPolicy } from './sessions/policy.ts'
import type { Store } from './sessions/store.ts'

// ---- what a caller writes ------------------------------------------------------------------------

export interface PocketBaseOptions {
  /** Base URL, `http://127.0.0.1:8090`. */
  readonly url: string
  /** Auth collection. Default `users`. */
  readonly collection?: string
  /** Deadline of a call in milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /** Deadline of a password check in milliseconds, waiting for a place not included. Default 10000. */
  readonly loginTimeoutMs?: number
  /** Password checks under way at once. Default: number of cores. */
  readonly concurrentLogins?: number
}

export interface SessionOptions {
  /** A session ends when it was not used for this long. Default 2 hours. */
  readonly idleTimeoutMs?: number
  /** A session ends this long after the sign-in, used or not. Default 24 hours. */
  readonly absoluteTimeoutMs?: number
  /** Idle timeout of a session that is remembered. Default 14 days. */
  readonly rememberIdleTimeoutMs?: number
  /** Absolute timeout of a session that is remembered. Default 30 days. */
  readonly rememberAbsoluteTimeoutMs?: number
  /** How often the use of a session is written down, at most. Default one minute or a tenth of the idle timeout. */
  readonly touchIntervalMs?: number
  /** How long after the sign-in `requireFresh` asks for no password. Default 10 minutes. */
  readonly freshForMs?: number
  /** Sessions of a user at once; the oldest is ended. Default 10. */
  readonly maxPerUser?: number
}

export interface RevalidateOptions {
  /** How old the word of PocketBase on a session may be. Default one minute. */
  readonly intervalMs?: number
  /** The same where `requireRole` asks. Default 0: PocketBase is asked each time. */
  readonly roleIntervalMs?: number
  /** How long sessions go on while PocketBase cannot be asked; then guards answer 503. Default 10 minutes. */
  readonly maxStaleMs?: number
}

export interface UnsafeOptions {
  /** A session cookie without Secure over plain http off this machine. */
  readonly insecureCookies?: boolean
  /** The memory store, which forgets all sessions at a restart. */
  readonly memoryStoreInProduction?: boolean
  /** `trustProxy: Infinity`: every client may choose its own address. */
  readonly trustAllProxies?: boolean
  /** Plain http to a PocketBase off this machine. */
  readonly plainPocketBase?: boolean
  /** A secret that is short or can be guessed. */
  readonly weakSecret?: boolean
  /** A secret file, TLS key or SQLite file that other users of the machine may read. */
  readonly readableFiles?: boolean
}

/** A PocketBase user record as it comes from the API. */
export interface UserRecord {
  readonly id: string
  readonly collectionId: string
  readonly collectionName: string
  readonly email?: string
  readonly verified?: boolean
  readonly role?: string
  readonly [field: string]: unknown
}

export interface AuthOptions {
  readonly pocketbase: string | PocketBaseOptions
  /** The public origin, `https://app.example.com`. */
  readonly origin: string
  /** One or more secrets of at least 32 bytes, newest first. */
  readonly secret: string | readonly string[]
  /** Store URL or a store of one's own. Default `sqlite:data/sessions.db`. */
  readonly store?: string | Store
  /** Deadline of a store call in milliseconds. Default 2000. */
  readonly storeTimeoutMs?: number
  /**
   * Whether this process keeps sessions opened between requests. On by default where an ended session is refused by the
   * very next request all the same (memory, SQLite, Redis); PostgreSQL and MongoDB need `true` (docs/stores.md).
   */
  readonly cache?: boolean
  readonly session?: SessionOptions
  readonly revalidate?: RevalidateOptions
  /** `name` by default `__Host-Http-session`, over plain http `pocketbase-session-<port>`; `sameSite` by default `lax`. */
  readonly cookie?: { readonly name?: string; readonly sameSite?: 'lax' | 'strict' }
  /**
   * `open`: signed in at once. `verify-first`: known and unknown addresses get the same answer, and nobody signs in with a
   * password before the address is confirmed. `closed`: not found. Default `open`.
   */
  readonly registration?: 'open' | 'verify-first' | 'closed'
  /**
   * What registration and the profile page may set. Default `{ collection: 'profiles', fields: ['displayName', 'bio'] }`;
   * `false` for no profiles.
   */
  readonly profile?: false | { readonly collection?: string; readonly fields?: readonly string[] }
  /** The roles of a user. Default: the field `role`. */
  readonly roles?: (user: UserRecord) => string | readonly string[] | undefined
  /** Where visitors are sent. Default `/login`, `/account`, `/login`. */
  readonly paths?: { readonly login?: string; readonly afterLogin?: string; readonly afterLogout?: string }
  /** Fields of an anonymous `req.session` that survive signing in. */
  readonly keepAtLogin?: readonly string[]
  /** How many proxies stand in front. Default 0. `Infinity` trusts all and needs `unsafe.trustAllProxies`. */
  readonly trustProxy?: number
  /** Folder of templates that override ours, one by one. */
  readonly views?: string
  /** Default: JSON lines on standard output. */
  readonly logger?: Logger
  /** The clock, epoch milliseconds. */
  readonly now?: () => number
  /** Named overrides of what production refuses; each is logged at every start. */
  readonly unsafe?: UnsafeOptions
}

// ---- what the services get -----------------------------------------------------------------------

export interface PocketBaseConfig {
  readonly url: string
  readonly collection: string
  readonly timeoutMs: number
  readonly loginTimeoutMs: number
  readonly concurrentLogins: number
}

export interface CookieConfig {
  /** `__Host-Http-session`, or `pocketbase-session-<port>` on plain-http loopback. */
  readonly name: string
  /** `__Host-Http-pre`, or `pocketbase-session-<port>-pre`: binds the CSRF token before login. */
  readonly preName: string
  /** `__Host-Http-link`, or `…-link`: holds the sealed token of a mail link while its page is shown. */
  readonly linkName: string
  readonly secure: boolean
  readonly sameSite: 'lax' | 'strict'
}

/** Complete and checked; frozen. */
export interface Config {
  readonly production: boolean
  readonly pocketbase: PocketBaseConfig
  readonly origin: string
  readonly secrets: readonly string[]
  readonly store: string | Store
  readonly storeTimeoutMs: number
  /** `undefined`: as suits the store. */
  readonly cache: boolean | undefined
  readonly session: SessionPolicy
  readonly revalidate: { readonly intervalMs: number; readonly roleIntervalMs: number; readonly maxStaleMs: number }
  readonly cookie: CookieConfig
  readonly registration: 'open' | 'verify-first' | 'closed'
  readonly profile: false | { readonly collection: string; readonly fields: readonly string[] }
  /** What a registration may send of a profile. A collection that turns out to be missing keeps nothing of it. */
  readonly profileInput: readonly string[]
  readonly roles: (user: UserRecord) => readonly string[]
  readonly paths: { readonly login: string; readonly afterLogin: string; readonly afterLogout: string }
  readonly keepAtLogin: readonly string[]
  readonly trustProxy: number
  readonly views: string | null
  readonly logger: Logger
  readonly now: () => number
  readonly unsafe: Required<UnsafeOptions>
}

/** What is known before a start: a config, or everything that is wrong with the options. */
export type ConfigResult =
  | { readonly config: Config; readonly problems: readonly [] }
  | { readonly config: null; readonly problems: readonly ConfigProblem[] }

export interface ResolveOptions {
  /** Whether the rules for production hold. Default: `NODE_ENV` is `production`. */
  readonly production?: boolean
}

/**
 * Completes and checks the options.
 * @throws ConfigError with all problems at once; none shows a value.
 */
export function resolveConfig(options: AuthOptions, resolve: ResolveOptions = {}): Config {
  const { config, problems } = checkConfig(options, resolve)
  if (config !== null) return config
  throw new ConfigError(
    problems.map(({ path, message, override }) => {
      return `${path}: ${message}${override === undefined ? '' : ` (override: unsafe.${override})`}`
    }),
  )
}

/** Like {@link resolveConfig}, with the problems as a value: the environment names its variables instead of options. */
export function checkConfig(options: unknown, resolve: ResolveOptions = {}): ConfigResult {
  const production = resolve.production ?? process.env['NODE_ENV'] === 'production'
  const { values, problems: wrong } = parseOptions(options)
  const problems = [...wrong, ...findUnsafe(values, production)]
  if (problems.length > 0) return { config: null, problems }
  // Nothing was wrong, so nothing is missing.
  return { config: complete(values as CheckedOptions, production), problems: [] }
}

/** Each option by itself, so that one that is malformed does not hide that another is dangerous. */
function parseOptions(options: unknown): { values: Partial<CheckedOptions>; problems: readonly ConfigProblem[] } {
  if (typeof options !== 'object' || options === null) {
    return { values: {}, problems: [{ path: 'options', message: 'must be an object' }] }
  }
  const values: Record<string, unknown> = {}
  const problems = Object.keys(options)
    .filter((name) => !(name in optionsSchema))
    .map(unknownOption)
  for (const [name, schema] of Object.entries(optionsSchema)) {
    const parsed = schema.safeParse(Reflect.get(options, name))
    if (parsed.success) values[name] = parsed.data
    else problems.push(...parsed.error.issues.flatMap((issue) => toProblems(name, issue)))
  }
  // Each value went through the schema of its name.
  return { values, problems }
}

function toProblems(
  name: string,
  issue: {
    readonly code?: string | undefined
    readonly path: readonly PropertyKey[]
    readonly message: string
    readonly keys?: readonly string[]
  },
): readonly ConfigProblem[] {
  const path = [name, ...issue.path].join('.')
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }]
  return (issue.keys ?? []).map((key) => unknownOption(`${path}.${key}`))
}

function unknownOption(path: string): ConfigProblem {
  return { path, message: 'is not an option' }
}

function complete(options: CheckedOptions, production: boolean): Config {
  const { secret, cookie, roles, session, logger, ...rest } = options
  return freeze({
    ...rest,
    production,
    secrets: secret,
    session: { ...session, touchIntervalMs: session.touchIntervalMs ?? touchInterval(session.idleTimeoutMs) },
    cookie: cookieConfig(options.origin, cookie),
    // The schema cannot see what the function takes.
    roles: roleList(roles as AuthOptions['roles']),
    profileInput: options.profile === false ? [] : options.profile.fields,
    views: options.views ?? null,
    logger: logger ?? createLogger(),
    now: options.now ?? Date.now,
  })
}

function touchInterval(idleTimeoutMs: number): number {
  return Math.min(60_000, Math.floor(idleTimeoutMs / 10))
}

function cookieConfig(origin: string, cookie: CheckedOptions['cookie']): CookieConfig {
  const url = new URL(origin)
  const secure = url.protocol === 'https:'
  // Browsers share cookies between the ports of a host: several apps in development must not mix them up.
  const fallback = secure ? '__Host-Http-session' : `pocketbase-session-${url.port || '80'}`
  const name = cookie.name ?? fallback
  const stem = name === '__Host-Http-session' ? '__Host-Http' : name
  return { name, preName: `${stem}-pre`, linkName: `${stem}-link`, secure, sameSite: cookie.sameSite }
}

function roleList(roles: AuthOptions['roles']): Config['roles'] {
  return (user) => {
    const found = roles === undefined ? user.role : roles(user)
    if (found === undefined) return []
    return typeof found === 'string' ? [found] : found
  }
}

function freeze(config: Config): Config {
  for (const value of Object.values(config)) {
    // A store, a logger and the clock are the caller's own.
    if (value !== config.store && value !== config.logger && typeof value === 'object') Object.freeze(value)
  }
  return Object.freeze(config)
}
