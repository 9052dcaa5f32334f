// A Redis store URL → where the servers are, how to sign in to them, and what to wait for.

import { readFileSync } from 'node:fs'
import { ConfigError } from '../../errors.ts'

export interface RedisAddress {
  readonly host: string
  readonly port: number
}

export interface RedisCredentials {
  readonly username?: string
  readonly password?: string
}

/** Contents of PEM files; an empty object is TLS with the system's authorities. */
export interface RedisTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

export interface RedisConfig {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  /** The server, the sentinels, or some nodes of the cluster. */
  readonly addresses: readonly RedisAddress[]
  /** The master's name at the sentinels; empty without sentinels. */
  readonly masterName: string
  readonly credentials: RedisCredentials
  readonly sentinelCredentials: RedisCredentials
  readonly database: number
  readonly tls: RedisTls | null
  /** Every key begins with it. */
  readonly prefix: string
  /** Replicas that confirm create, replace and endings before they are answered. */
  readonly wait: number
}

const FORM = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^/?]*)@)?([^/?@]*)(?:\/([^?]*))?(?:\?(.*))?$/
const PARAMETERS = ['wait', 'prefix', 'ca', 'cert', 'key', 'sentinelUsername', 'sentinelPassword']
const EXAMPLES =
  'redis://localhost:6379/0, redis+sentinel://host1:26379,host2:26379/mymaster or redis+cluster://host1:6379,host2:6379'

/**
 * Reads `redis://`, `rediss://` (TLS), `redis+sentinel://`, `redis+cluster://` and their `rediss+` forms.
 * @throws ConfigError with all problems at once. No message shows a part of the URL that may be a secret.
 */
export function parseRedisUrl(url: string): RedisConfig {
  const match = FORM.exec(url)
  if (match === null) throw new ConfigError([`store: a Redis URL looks like ${EXAMPLES}`])
  const [, scheme, mode, user, hosts = '', path = '', query = ''] = match
  const kind = mode === 'sentinel' || mode === 'cluster' ? mode : 'single'
  const problems: string[] = []
  const parameters = readParameters(query, problems)
  const addresses = readAddresses(hosts, kind, problems)
  const place = readPath(path, kind, problems)
  const prefix = parameters.get('prefix') ?? 'pbs:'
  // Braces choose the slot of a key, and that is for the store to choose.
  if (/[{}]/.test(prefix)) problems.push('store: prefix must not contain { or }')
  const wait = Number(parameters.get('wait') ?? (kind === 'single' ? '0' : '1'))
  if (!Number.isInteger(wait) || wait < 0 || wait > 9) problems.push('store: wait is a number of replicas, 0 to 9')
  const credentials = readCredentials(user, problems)
  const tls = readTls(scheme === 'rediss', parameters, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  const sentinelCredentials = pick(parameters.get('sentinelUsername'), parameters.get('sentinelPassword'))
  return { kind, addresses, ...place, credentials, sentinelCredentials, tls, prefix, wait }
}

function readParameters(query: string, problems: string[]): ReadonlyMap<string, string> {
  const parameters = new Map(new URLSearchParams(query))
  for (const name of parameters.keys()) {
    if (!PARAMETERS.includes(name)) {
      problems.push(`store: a Redis URL has no parameter of this name; it knows ${PARAMETERS.join(', ')}`)
    }
  }
  return parameters
}

function readAddresses(hosts: string, kind: RedisConfig['kind'], problems: string[]): readonly RedisAddress[] {
  const parts = hosts === '' ? ['localhost'] : hosts.split(',')
  if (kind === 'single' && parts.length > 1) {
    problems.push('store: redis:// names one server; for several write redis+sentinel:// or redis+cluster://')
  }
  return parts.flatMap((part) => {
    const [, bracketed, name, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(part) ?? []
    const host = bracketed ?? name
    const port = digits === undefined ? (kind === 'sentinel' ? 26_379 : 6379) : Number(digits)
    if (host !== undefined && port > 0 && port < 65_536) return { host, port }
    problems.push('store: the hosts of a Redis URL are written host or host:port, with commas between them')
    return []
  })
}

function readPath(path: string, kind: RedisConfig['kind'], problems: string[]) {
  const [first = '', second, ...rest] = path.split('/')
  const [masterName, database] = kind === 'sentinel' ? [first, second ?? ''] : ['', first]
  const tooLong = rest.length > 0 || (kind !== 'sentinel' && second !== undefined)
  if (kind === 'sentinel' && !/^[\w.-]+$/.test(masterName)) {
    problems.push('store: redis+sentinel:// ends with /name-of-the-master')
  }
  if (tooLong || !/^\d{0,5}$/.test(database)) problems.push('store: a Redis database is a number')
  if (kind === 'cluster' && Number(database) !== 0) problems.push('store: a Redis Cluster has database 0 only')
  return { masterName, database: Number(database) }
}

function readCredentials(user: string | undefined, problems: string[]): RedisCredentials {
  const [, username = '', password = ''] = /^([^:]*)(?::(.*))?$/s.exec(user ?? '') ?? []
  try {
    return pick(decodeURIComponent(username), decodeURIComponent(password))
  } catch {
    problems.push('store: user and password in a Redis URL are percent-encoded')
    return {}
  }
}

function pick(username: string | undefined, password: string | undefined): RedisCredentials {
  return { ...(username ? { username } : {}), ...(password ? { password } : {}) }
}

function readTls(isOn: boolean, parameters: ReadonlyMap<string, string>, problems: string[]): RedisTls | null {
  const files = (['ca', 'cert', 'key'] as const).filter((name) => parameters.has(name))
  if (!isOn) {
    if (files.length > 0) problems.push('store: ca, cert and key belong to a rediss URL (TLS)')
    return null
  }
  const read = files.flatMap((name) => {
    try {
      return [[name, readFileSync(parameters.get(name) ?? '', 'utf8')]]
    } catch {
      problems.push(`store: the file of ${name} cannot be read`)
      return []
    }
  })
  return Object.fromEntries(read) as RedisTls // names from the list above
}
