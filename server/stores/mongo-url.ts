// A MongoDB URL → database, concerns and time limits. What the URL says itself stands, unless it would make sessions unsafe.

import type { MongoClientOptions, WriteConcernSettings } from 'mongodb'
import { ConfigError } from '../errors.ts'

export interface MongoConfig {
  readonly url: string
  readonly database: string
  /** Deadline of a call. */
  readonly timeoutMs: number
  /** For the driver's client; nothing that the URL names. */
  readonly clientOptions: MongoClientOptions
  readonly writeConcern: WriteConcernSettings
  readonly readConcern: 'majority' | 'linearizable'
  /** What could get lost with the options of this URL. */
  readonly warnings: readonly string[]
}

type Parameters = ReadonlyMap<string, string>

const DEFAULT_DATABASE = 'pocketbase_session'
const FORM = /^mongodb(?:\+srv)?:\/\/(?:[^/?@]*@)?[^/?@]+(?:\/([^/?]*))?(?:\?(.*))?$/
const UNCHECKED = ['tlsinsecure', 'tlsallowinvalidcertificates', 'tlsallowinvalidhostnames']

/** @throws ConfigError with all problems at once. No message shows a part of the URL that may be a secret. */
export function parseMongoUrl(url: string, timeoutMs: number): MongoConfig {
  const match = FORM.exec(url)
  if (match === null) {
    throw new ConfigError([
      'store: a MongoDB URL looks like mongodb://user:password@host1,host2/database?replicaSet=name; characters such as / ? @ in user and password are percent-encoded',
    ])
  }
  const [, path = '', query = ''] = match
  const parameters = readParameters(query)
  const problems = [...findProblems(parameters), ...databaseProblems(path)]
  if (problems.length > 0) throw new ConfigError(problems)
  return {
    url,
    database: path === '' ? DEFAULT_DATABASE : decodeURIComponent(path),
    timeoutMs,
    clientOptions: clientOptions(parameters, timeoutMs),
    writeConcern: writeConcern(parameters, timeoutMs),
    readConcern: parameters.get('readconcernlevel') === 'linearizable' ? 'linearizable' : 'majority',
    warnings: findWarnings(parameters),
  }
}

/** Names of options are the same in any case. */
function readParameters(query: string): Parameters {
  return new Map(Array.from(new URLSearchParams(query), ([name, value]) => [name.toLowerCase(), value]))
}

function databaseProblems(path: string): readonly string[] {
  return /^(?:[\w-]|%[\da-f]{2}){0,63}$/i.test(path) && !/%(?:00|20|22|24|2e|2f|5c)/i.test(path)
    ? []
    : ['store: the database in a MongoDB URL is a name of letters, digits, - and _']
}

function findProblems(parameters: Parameters): readonly string[] {
  const problems: string[] = []
  if (parameters.has('timeoutms')) {
    problems.push('store: timeoutMS in a MongoDB URL has no effect in the driver; take it out and set storeTimeoutMs')
  }
  if (parameters.get('w') === '0') {
    problems.push('store: w=0 in the MongoDB URL means that no write is ever confirmed; leave w out')
  }
  if (!['primary', undefined].includes(parameters.get('readpreference')?.toLowerCase())) {
    problems.push('store: readPreference must be primary: a secondary shows sessions as live that have ended')
  }
  if (!['majority', 'linearizable', undefined].includes(parameters.get('readconcernlevel'))) {
    problems.push('store: readConcernLevel must be majority or linearizable: others read what an election undoes')
  }
  return problems
}

function findWarnings(parameters: Parameters): readonly string[] {
  const warnings: string[] = []
  const w = parameters.get('w')
  if (w !== undefined && w !== 'majority') {
    warnings.push(
      `the MongoDB URL sets w=${/^\w{1,20}$/.test(w) ? w : '…'}: an election can undo writes that were confirmed, log-outs among them; leave w out`,
    )
  }
  if (['journal', 'j'].some((name) => parameters.get(name) === 'false')) {
    warnings.push('the MongoDB URL sets journal=false: a crash can undo writes that were confirmed; leave it out')
  }
  if (UNCHECKED.some((name) => parameters.get(name) === 'true')) {
    warnings.push("the MongoDB URL lets the server's certificate go unchecked: anybody in between can read and change")
  }
  return warnings
}

/**
 * The driver tries a call twice, so that half of our deadline is what one attempt may take: by its own defaults it waits for
 * a stalled server for ever.
 */
function clientOptions(parameters: Parameters, timeoutMs: number): MongoClientOptions {
  const half = Math.ceil(timeoutMs / 2)
  const proposed: MongoClientOptions = {
    appName: 'pocketbase-session',
    maxPoolSize: 20,
    serverSelectionTimeoutMS: half,
    connectTimeoutMS: half,
    socketTimeoutMS: half,
    waitQueueTimeoutMS: Math.ceil(timeoutMs / 4),
    heartbeatFrequencyMS: Math.min(Math.max(half, 500), 1000),
  }
  const own = Object.entries(proposed).filter(([name]) => !parameters.has(name.toLowerCase()))
  return { ...Object.fromEntries(own), readPreference: 'primary', ignoreUndefined: true, promoteBuffers: true }
}

/** Without a majority an election can undo a log-out. The server gives up before the driver cuts the connection. */
function writeConcern(parameters: Parameters, timeoutMs: number): WriteConcernSettings {
  const w = parameters.get('w') ?? 'majority'
  const journal = parameters.get('journal') ?? parameters.get('j')
  const wtimeout = Number(parameters.get('wtimeoutms') ?? parameters.get('wtimeout') ?? NaN)
  return {
    w: /^\d+$/.test(w) ? Number(w) : (w as 'majority'), // or the name of a concern that the operator has made
    wtimeoutMS: wtimeout > 0 ? wtimeout : Math.ceil(timeoutMs * 0.4),
    ...(journal === undefined ? {} : { journal: journal === 'true' }),
  }
}
