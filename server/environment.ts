// Environment → settings of the server. Everything that is wrong comes as one list that names variables, never values.

import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkConfig } from './config.ts'
import { isReadableByOthers } from './config-safety.ts'
import { VARIABLES } from './environment-variables.ts'
import { ConfigError } from './errors.ts'
import { developmentSecret } from './development-secret.ts'
import { parseDuration } from './lib/duration.ts'
import { LOG_LEVELS } from './logger.ts'
import { findMailProblems } from './mail-settings.ts'
import type { AuthOptions } from './config.ts'
import type { Variable, VariableName } from './environment-variables.ts'
import type { LogLevel } from './logger.ts'

export interface ServerSettings {
  readonly production: boolean
  readonly port: number
  readonly host: string
  /** Absolute path. */
  readonly dataDir: string
  /** PEM texts; `null` where something else ends TLS, or nothing does. */
  readonly tls: { readonly cert: string; readonly key: string } | null
  /** `null`: one is started. */
  readonly pocketbaseUrl: string | null
  /** The auth collection. */
  readonly collection: string
  /** For commands on the PocketBase of `pocketbaseUrl`; the server has no use for it. */
  readonly superuser: { readonly email: string; readonly password: string } | null
  /** URL of the session store. */
  readonly store: string
  readonly pocketbaseBin: string | null
  readonly pocketbaseSource: 'release' | 'go' | 'pypi' | null
  readonly smtpUrl: string | null
  readonly mailFrom: string | null
  readonly logLevel: LogLevel
  /** Complete but for what is known only when the server listens. */
  authOptions(known: { readonly port: number; readonly pocketbaseUrl: string }): AuthOptions
}

type Environment = Readonly<Record<string, string | undefined>>
type Values = ReadonlyMap<VariableName, unknown>

/**
 * Reads and checks the environment. In development a missing secret is made once and kept in the data folder.
 * @throws ConfigError with all problems at once; none shows a value.
 */
export function loadEnvironment(env: Environment, cwd: string): ServerSettings {
  const production = env['NODE_ENV'] === 'production'
  const problems: string[] = []
  const values = readValues(env, cwd, problems)
  const dataDir = resolve(cwd, textOf(values, 'DATA_DIR') ?? 'data')
  const draft = optionsFrom(values)
  draft['secret'] ??= production ? undefined : [developmentSecret(dataDir)]
  draft['store'] ??= `sqlite:${join(dataDir, 'sessions.db')}`
  const authOptions = ({ port, pocketbaseUrl }: { port: number; pocketbaseUrl: string }): AuthOptions => {
    const scheme = values.has('TLS_CERT') ? 'https' : 'http'
    const pocketbase = { url: pocketbaseUrl, ...(draft['pocketbase'] as object | undefined) }
    // Checked by checkConfig below and again by createAuth.
    return { origin: `${scheme}://localhost:${port}`, ...draft, pocketbase } as AuthOptions
  }
  const store = String(draft['store'])
  const settings = { ...serverSettings(values, problems), production, dataDir, store, authOptions }
  const options = authOptions({ port: settings.port || 3000, pocketbaseUrl: 'http://127.0.0.1:8090' })
  problems.push(...findServerProblems(env, options, { values, production, cwd }))
  for (const problem of checkConfig(options, { production }).problems.map(inVariables)) {
    // A variable that could not be read is missing for the checks; that would be said twice.
    if (!problems.some((known) => known.split(':')[0] === problem.split(':')[0])) problems.push(problem)
  }
  if (problems.length > 0) throw new ConfigError([...new Set(problems)])
  return settings
}

// ---- reading -------------------------------------------------------------------------------------

function readValues(env: Environment, cwd: string, problems: string[]): Values {
  const values = new Map<VariableName, unknown>()
  for (const variable of VARIABLES) {
    const text = readText(variable, env, { cwd, problems })
    if (text === undefined) continue
    const value = parse(variable, text, cwd)
    if (value instanceof Problem) problems.push(`${variable.name}: ${value.message}`)
    else values.set(variable.name, value)
  }
  return values
}

/** What is wrong with one value. */
class Problem extends Error {}

function readText(
  { name, secret }: Variable,
  env: Environment,
  { cwd, problems }: { readonly cwd: string; readonly problems: string[] },
): string | undefined {
  const file = secret ? env[`${name}_FILE`] : undefined
  // An empty variable is how many tools write an unset one.
  if (env[name]) {
    if (file) problems.push(`${name}: is set together with ${name}_FILE; keep one`)
    return env[name]
  }
  if (!file) return undefined
  try {
    return readFileSync(resolve(cwd, file), 'utf8').trim()
  } catch (error) {
    problems.push(`${name}_FILE: cannot be read (${errorCode(error)})`)
    return undefined
  }
}

function parse({ kind }: Variable, text: string, cwd: string): unknown {
  switch (kind) {
    case 'text':
      return text
    case 'list':
      return text.split(',').map((item) => item.trim())
    case 'number':
      return /^\d{1,9}$/.test(text) ? Number(text) : new Problem('must be a whole number')
    case 'duration':
      return parseDuration(text) ?? new Problem('must be a duration like 30s, 30m, 12h or 14d')
    case 'flag':
      return parseFlag(text)
    case 'proxies':
      return parseProxies(text)
    case 'file':
      return readPem(resolve(cwd, text))
  }
}

function parseFlag(text: string): boolean | Problem {
  if (text === 'true' || text === '1') return true
  return text === 'false' || text === '0' ? false : new Problem('must be true or false')
}

function parseProxies(text: string): number | Problem {
  if (/^(all|true|\*)$/i.test(text)) return Infinity
  return /^\d{1,2}$/.test(text) ? Number(text) : new Problem('must be the number of proxies that stand in front')
}

function readPem(file: string): string | Problem {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return new Problem(`the file cannot be read (${errorCode(error)})`)
  }
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

// ---- from variables to options and back ----------------------------------------------------------

/** What the variables say, as options of `createAuth`; the rest has its defaults there. */
function optionsFrom(values: Values): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const variable of VARIABLES) {
    if (!('option' in variable) || !values.has(variable.name)) continue
    const [group, field] = variable.option.split('.')
    if (group === undefined) continue
    const value = values.get(variable.name)
    options[group] = field === undefined ? value : { ...(options[group] as object | undefined), [field]: value }
  }
  if (values.get('PROFILE_COLLECTION') === 'none') options['profile'] = false
  return options
}

function inVariables({ path, message, override }: ReturnType<typeof checkConfig>['problems'][number]): string {
  const hint = override === undefined ? '' : ` (override: ${variableOf(`unsafe.${override}`)}=true)`
  return `${variableOf(path)}: ${message}${hint}`
}

function variableOf(path: string): string {
  const found = VARIABLES.find((variable) => {
    return 'option' in variable && (path === variable.option || path.startsWith(`${variable.option}.`))
  })
  return found?.name ?? path
}

// ---- what only a server has ----------------------------------------------------------------------

function textOf(values: Values, name: VariableName): string | null {
  const value = values.get(name)
  return typeof value === 'string' ? value : null
}

function serverSettings(values: Values, problems: string[]) {
  const port = values.get('PORT') ?? 3000
  if (typeof port !== 'number' || port > 65_535) problems.push('PORT: must be a number from 0 to 65535')
  const cert = textOf(values, 'TLS_CERT')
  const key = textOf(values, 'TLS_KEY')
  return {
    port: Number(port),
    host: textOf(values, 'HOST') ?? '127.0.0.1',
    tls: cert === null || key === null ? null : { cert, key },
    pocketbaseUrl: textOf(values, 'POCKETBASE_URL'),
    collection: textOf(values, 'POCKETBASE_COLLECTION') ?? 'users',
    superuser: superuserFrom(values),
    pocketbaseBin: textOf(values, 'POCKETBASE_BIN'),
    pocketbaseSource: oneOf(values, 'POCKETBASE_SOURCE', { choices: ['release', 'go', 'pypi'], problems }),
    smtpUrl: textOf(values, 'SMTP_URL'),
    mailFrom: textOf(values, 'MAIL_FROM'),
    logLevel: oneOf(values, 'LOG_LEVEL', { choices: LOG_LEVELS, problems }) ?? 'info',
  }
}

function superuserFrom(values: Values): ServerSettings['superuser'] {
  const email = textOf(values, 'POCKETBASE_SUPERUSER_EMAIL')
  const password = textOf(values, 'POCKETBASE_SUPERUSER_PASSWORD')
  return email === null || password === null ? null : { email, password }
}

function oneOf<T extends string>(
  values: Values,
  name: VariableName,
  { choices, problems }: { readonly choices: readonly T[]; readonly problems: string[] },
): T | null {
  const value = textOf(values, name)
  const found = choices.find((choice) => choice === value)
  if (value !== null && found === undefined) problems.push(`${name}: must be one of: ${choices.join(', ')}`)
  return found ?? null
}

function findServerProblems(
  env: Environment,
  options: AuthOptions,
  { values, production, cwd }: { readonly values: Values; readonly production: boolean; readonly cwd: string },
): readonly string[] {
  const { origin, secret, unsafe, trustProxy = 0 } = options
  const tls = Boolean(env['TLS_CERT'] || env['TLS_KEY'])
  const https = typeof origin === 'string' && origin.startsWith('https:')
  const problems: string[] = []
  if (Boolean(env['TLS_CERT']) !== Boolean(env['TLS_KEY'])) problems.push('TLS_CERT, TLS_KEY: one without the other')
  if (tls && !https) problems.push('ORIGIN: must be https, since TLS_CERT is set')
  if (https && !tls && trustProxy === 0) {
    problems.push(
      'ORIGIN: is https but nothing ends TLS; set TLS_CERT and TLS_KEY, or TRUST_PROXY to the number of proxies',
    )
  }
  if (production && !values.has('ORIGIN')) problems.push('ORIGIN: is required in production')
  if (production && secret === undefined) {
    problems.push('SESSION_SECRET: is required in production; "pocketbase-session secret" makes one')
  }
  if (production && env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    problems.push(
      'NODE_TLS_REJECT_UNAUTHORIZED: is 0, so anybody on the way can pose as PocketBase; NODE_EXTRA_CA_CERTS names an authority of your own',
    )
  }
  problems.push(...findMailProblems({ smtpUrl: textOf(values, 'SMTP_URL'), mailFrom: textOf(values, 'MAIL_FROM') }))
  if (production && unsafe?.readableFiles !== true) problems.push(...findReadableFiles(env, cwd))
  return problems
}

function findReadableFiles(env: Environment, cwd: string): readonly string[] {
  const names = [...VARIABLES.filter((v) => 'secret' in v).map(({ name }) => `${name}_FILE`), 'TLS_KEY']
  return names
    .filter((name) => env[name] && isReadableByOthers(resolve(cwd, env[name])))
    .map((name) => {
      return `${name}: the file can be read by other users of this machine; chmod 600 it (override: UNSAFE_READABLE_FILES=true)`
    })
}
