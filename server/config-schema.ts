// Shape and defaults of the options: what each must be, in words that say what to write instead.
// Messages never show a value: it may be a secret.

import { statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import type { Logger } from './logger.ts'
import type { Store } from './sessions/store.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Browsers keep no cookie longer. */
const LONGEST = 400 * DAY

/** Of each secret. */
export const MIN_SECRET_BYTES = 32

const wholeNumber = (least: number, what: string) =>
  z.int({ error: `must be a whole number of ${what}` }).min(least, { error: `must be at least ${least} ${what}` })

const duration = (least: number) =>
  wholeNumber(least, 'milliseconds').max(LONGEST, { error: 'must not be longer than 400 days' })

const word = z.string({ error: 'must be a string' }).min(1, { error: 'must not be empty' })
const flag = z.boolean({ error: 'must be true or false' }).default(false)
const oneOf = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of: ${values.join(', ')}` })

/** A path of this origin: `//host` and `/\host` would lead to another one. */
const path = z.string({ error: 'must be a path' }).regex(/^\/(?![/\\])[^\s\\]*$/, {
  error: 'must be a path on this origin that starts with one slash',
})

const baseUrl = z
  .string({ error: 'must be a URL like http://127.0.0.1:8090' })
  .refine(isBaseUrl, { error: 'must be an http or https URL without user, password, query or fragment' })
  .transform((url) => url.replace(/\/+$/, ''))

const origin = z
  .string({ error: 'must be the public origin, like https://app.example.com' })
  .refine((value) => URL.parse(value)?.origin === value && /^https?:/.test(value), {
    error: 'must be an origin only: scheme, host and port if it is not the default, like https://app.example.com',
  })

const secret = z.string({ error: 'must be a string' })
const secrets = z
  .union([secret.transform((one) => [one]), z.array(secret)], { error: 'must be a secret or a list of secrets' })
  .refine((list) => list.length > 0, { error: 'must have at least one secret; "pocketbase-session secret" makes one' })

const pocketbase = z.strictObject(
  {
    url: baseUrl,
    collection: word.default('users'),
    timeoutMs: duration(1).default(5 * SECOND),
    loginTimeoutMs: duration(1).default(10 * SECOND),
    concurrentLogins: wholeNumber(1, 'logins').default(() => availableParallelism()),
  },
  { error: 'must be a URL or { url, … }' },
)

const session = z
  .strictObject({
    idleTimeoutMs: duration(1).default(2 * HOUR),
    absoluteTimeoutMs: duration(1).default(24 * HOUR),
    rememberIdleTimeoutMs: duration(1).default(14 * DAY),
    rememberAbsoluteTimeoutMs: duration(1).default(30 * DAY),
    touchIntervalMs: duration(0).optional(),
    freshForMs: duration(0).default(10 * MINUTE),
    maxPerUser: wholeNumber(1, 'sessions').default(10),
  })
  .refine((s) => s.idleTimeoutMs <= s.absoluteTimeoutMs, {
    path: ['idleTimeoutMs'],
    error: 'must not be longer than the absolute timeout',
  })
  .refine((s) => s.rememberIdleTimeoutMs <= s.rememberAbsoluteTimeoutMs, {
    path: ['rememberIdleTimeoutMs'],
    error: 'must not be longer than the absolute timeout of remembered sessions',
  })
  .refine((s) => s.touchIntervalMs === undefined || s.touchIntervalMs < s.idleTimeoutMs, {
    path: ['touchIntervalMs'],
    error: 'must be shorter than the idle timeout, or sessions in use would end',
  })

const revalidate = z
  .strictObject({
    intervalMs: duration(0).default(MINUTE),
    roleIntervalMs: duration(0).default(0),
    maxStaleMs: duration(0).default(10 * MINUTE),
  })
  .refine((r) => r.intervalMs <= r.maxStaleMs, {
    path: ['maxStaleMs'],
    error: 'must not be shorter than the interval',
  })

const cookie = z.strictObject({
  // RFC 6265 token.
  name: z
    .string({ error: 'must be a string' })
    .regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, { error: 'must be a cookie name: letters, digits and hyphens' })
    .optional(),
  sameSite: oneOf(['lax', 'strict']).default('lax'),
})

const profile = z.union(
  [
    z.literal(false),
    z.strictObject({
      collection: word.default('profiles'),
      fields: z.array(word, { error: 'must be a list of field names' }).default(['displayName', 'bio']),
    }),
  ],
  { error: 'must be false or { collection, fields }' },
)

/** The options one by one. What belongs to several at once is in `config-safety.ts`. */
export const optionsSchema = {
  pocketbase: z.preprocess((value) => (typeof value === 'string' ? { url: value } : value), pocketbase),
  origin,
  secret: secrets,
  store: z
    .union([word, z.custom<Store>((value) => hasMethods(value, ['find', 'create', 'replace', 'end']))], {
      error: 'must be a store URL or a store',
    })
    .default('sqlite:data/sessions.db'),
  storeTimeoutMs: duration(1).default(2 * SECOND),
  cache: z.boolean({ error: 'must be true or false' }).optional(),
  session: session.prefault({}),
  revalidate: revalidate.prefault({}),
  cookie: cookie.prefault({}),
  registration: oneOf(['open', 'verify-first', 'closed']).default('open'),
  profile: profile.prefault({}),
  roles: func<(user: never) => string | readonly string[] | undefined>().optional(),
  paths: z
    .strictObject({
      login: path.default('/login'),
      afterLogin: path.default('/account'),
      afterLogout: path.default('/login'),
    })
    .prefault({}),
  keepAtLogin: z.array(word, { error: 'must be a list of field names' }).default([]),
  trustProxy: z.custom<number>(isCount, { error: 'must be the number of proxies that stand in front' }).default(0),
  views: word.refine(isFolder, { error: 'is not a folder that can be read' }).optional(),
  logger: z
    .custom<Logger>((value) => hasMethods(value, ['debug', 'info', 'warn', 'error']), {
      error: 'must have debug, info, warn and error',
    })
    .optional(),
  now: func<() => number>().optional(),
  unsafe: z
    .strictObject({
      insecureCookies: flag,
      memoryStoreInProduction: flag,
      trustAllProxies: flag,
      plainPocketBase: flag,
      weakSecret: flag,
      readableFiles: flag,
    })
    .prefault({}),
}

/** Options with their defaults filled in. */
export type CheckedOptions = { readonly [K in keyof typeof optionsSchema]: z.output<(typeof optionsSchema)[K]> }

function func<T>() {
  return z.custom<T>((value) => typeof value === 'function', { error: 'must be a function' })
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof Reflect.get(value, name) === 'function')
}

/** Zod's numbers are finite; `Infinity` is how all proxies are written. */
function isCount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && (Number.isInteger(value) || value === Infinity)
}

function isBaseUrl(value: string): boolean {
  const url = URL.parse(value)
  if (url === null || !/^https?:$/.test(url.protocol)) return false
  return url.username === '' && url.password === '' && url.search === '' && url.hash === ''
}

function isFolder(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() === true
}
