// Options and environment → Config: defaults, and every check that must stop the start.
import type { Logger } from './logger.ts'
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
  readonly idleTimeoutMs?: number
  readonly absoluteTimeoutMs?: number
  readonly rememberIdleTimeoutMs?: number
  readonly rememberAbsoluteTimeoutMs?: number
  readonly touchIntervalMs?: number
  readonly freshForMs?: number
  readonly maxPerUser?: number
}

export interface RevalidateOptions {
  readonly intervalMs?: number
  readonly roleIntervalMs?: number
  readonly maxStaleMs?: number
}

export interface UnsafeOptions {
  /** A session cookie without Secure over plain http off this machine. */
  readonly insecureCookies?: boolean
  readonly memoryStoreInProduction?: boolean
  readonly trustAllProxies?: boolean
  /** Plain http to a PocketBase off this machine. */
  readonly plainPocketBase?: boolean
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
  readonly session?: SessionOptions
  readonly revalidate?: RevalidateOptions
  readonly cookie?: { readonly name?: string; readonly sameSite?: 'lax' | 'strict' }
  readonly registration?: 'open' | 'verify-first' | 'closed'
  readonly profile?: false | { readonly collection?: string; readonly fields?: readonly string[] }
  readonly roles?: (user: UserRecord) => string | readonly string[] | undefined
  readonly paths?: { readonly login?: string; readonly afterLogin?: string; readonly afterLogout?: string }
  /** Fields of an anonymous `req.session` that survive signing in. */
  readonly keepAtLogin?: readonly string[]
  /** How many proxies stand in front. Default 0. */
  readonly trustProxy?: number
  /** Folder of templates that override ours, one by one. */
  readonly views?: string
  readonly logger?: Logger
  /** The clock, epoch milliseconds. */
  readonly now?: () => number
  readonly unsafe?: UnsafeOptions
}

// ---- what the services get -----------------------------------------------------------------------

export interface SessionPolicyConfig {
  readonly idleTimeoutMs: number
  readonly absoluteTimeoutMs: number
  readonly rememberIdleTimeoutMs: number
  readonly rememberAbsoluteTimeoutMs: number
  readonly touchIntervalMs: number
  readonly freshForMs: number
  readonly maxPerUser: number
}

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
  readonly session: SessionPolicyConfig
  readonly revalidate: { readonly intervalMs: number; readonly roleIntervalMs: number; readonly maxStaleMs: number }
  readonly cookie: CookieConfig
  readonly registration: 'open' | 'verify-first' | 'closed'
  readonly profile: false | { readonly collection: string; readonly fields: readonly string[] }
  readonly roles: (user: UserRecord) => readonly string[]
  readonly paths: { readonly login: string; readonly afterLogin: string; readonly afterLogout: string }
  readonly keepAtLogin: readonly string[]
  readonly trustProxy: number
  readonly views: string | null
  readonly logger: Logger
  readonly now: () => number
  readonly unsafe: Required<UnsafeOptions>
}
