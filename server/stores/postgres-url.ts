// A store URL → the settings of a connection. Only what is known is taken: a misspelt sslmode must not mean "no TLS".

import { readFileSync } from 'node:fs'
import { ConfigError } from '../errors.ts'

export interface PostgresAddress {
  /** Names are those of the driver; what is missing comes from the environment (PGHOST …) or the driver. */
  readonly connection: {
    readonly host?: string
    readonly port?: number
    readonly user?: string
    readonly password?: string
    readonly database?: string
    readonly application_name: string
    readonly options?: string
    readonly enableChannelBinding?: boolean
    readonly ssl?: false | TlsOptions
  }
  readonly schema: string | undefined
  readonly maxConnections: number | undefined
}

interface TlsOptions {
  readonly rejectUnauthorized: boolean
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const PARAMETERS = [
  'sslmode',
  'sslrootcert',
  'sslcert',
  'sslkey',
  'channel_binding',
  'host',
  'application_name',
  'options',
  'schema',
  'max_connections',
] as const
type Parameter = (typeof PARAMETERS)[number]

/** libpq checks less with `require` and `verify-ca`; a certificate that nobody checks protects from nobody. */
const VERIFYING = ['require', 'verify-ca', 'verify-full']
const SSL_MODES = ['disable', 'no-verify', ...VERIFYING]
const CHANNEL_BINDING = ['disable', 'prefer', 'require']

/** @throws ConfigError, without any part of the URL: it may hold a password. */
export function parsePostgresUrl(url: string): PostgresAddress {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw problem('is written postgres://user:password@host:5432/database; encode special characters of the password')
  }
  const given = parametersOf(parsed)
  const text = (name: Parameter): string | undefined => given.get(name)
  const ssl = tlsOf(given)
  return {
    connection: {
      ...optional('host', text('host') ?? decoded(parsed.hostname.replace(/^\[(.*)\]$/, '$1'))),
      ...(parsed.port === '' ? {} : { port: Number(parsed.port) }),
      ...optional('user', decoded(parsed.username)),
      ...optional('password', decoded(parsed.password)),
      ...optional('database', decoded(parsed.pathname.slice(1))),
      ...optional('options', text('options')),
      ...(given.has('channel_binding')
        ? { enableChannelBinding: oneOf(given, 'channel_binding', CHANNEL_BINDING) !== 'disable' }
        : {}),
      ...(ssl === undefined ? {} : { ssl }),
      application_name: text('application_name') ?? 'pocketbase-session',
    },
    schema: text('schema'),
    maxConnections: given.has('max_connections') ? Number(text('max_connections')) : undefined,
  }
}

/** @throws ConfigError for anything but a plain name: it becomes part of the SQL. */
export function checkSchema(schema: string): string {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(schema) || schema.startsWith('pg_')) {
    throw problem('the schema is named by lower-case letters, digits and underscores, 63 at most')
  }
  return schema
}

function parametersOf({ searchParams }: URL): ReadonlyMap<Parameter, string> {
  const unknown = [...searchParams.keys()].filter((name) => !PARAMETERS.includes(name as Parameter)) // being checked
  if (unknown.length > 0) {
    throw problem(`has unknown parameters; the known are ${PARAMETERS.join(', ')}`)
  }
  return new Map([...searchParams] as [Parameter, string][]) // checked above
}

function tlsOf(given: ReadonlyMap<Parameter, string>): false | TlsOptions | undefined {
  const namesFiles = given.has('sslrootcert') || given.has('sslcert') || given.has('sslkey')
  if (!given.has('sslmode') && !namesFiles) return undefined // PGSSLMODE, or none
  const mode = given.has('sslmode') ? oneOf(given, 'sslmode', SSL_MODES) : 'verify-full'
  if (mode === 'disable') return false
  return {
    rejectUnauthorized: VERIFYING.includes(mode),
    ...optional('ca', pemIn(given.get('sslrootcert'))),
    ...optional('cert', pemIn(given.get('sslcert'))),
    ...optional('key', pemIn(given.get('sslkey'))),
  }
}

function pemIn(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw problem(`the certificate file ${file} cannot be read`) // why is the system's business
  }
}

function oneOf(given: ReadonlyMap<Parameter, string>, name: Parameter, allowed: readonly string[]): string {
  const value = given.get(name) ?? ''
  if (!allowed.includes(value)) throw problem(`${name} is one of ${allowed.join(', ')}`)
  return value
}

function optional<Name extends string>(name: Name, value: string | undefined): { readonly [name in Name]?: string } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { [name in Name]: string }) // a computed name widens
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw problem('has a % that is not part of an encoded character: write it as %25')
  }
}

function problem(what: string): ConfigError {
  return new ConfigError([`store: a PostgreSQL URL ${what}`])
}
