// Sessions in PostgreSQL: any number of machines, with the durability of the database that holds the rest of the business.

import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { CopyableStore, EntryPage, StoreEntry } from '../sessions/copyable-store.ts'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../sessions/store.ts'
import { ConfigError } from '../errors.ts'
import { cachingStore } from './caching-store.ts'
import { exportSections } from './export-sections.ts'
import { EPOCH_KEPT_MS, timedOut } from './lifetime.ts'
import { importIntoPostgres, postgresSections } from './postgres-copy.ts'
import { loadDriver } from './postgres-driver.ts'
import { PostgresFeed } from './postgres-feed.ts'
import { PostgresPool, type Answer } from './postgres-pool.ts'
import { toChanges, toColumns, toEnded, toRecord, toRow, type ColumnsRow, type SessionRow } from './postgres-rows.ts'
import { findWarnings } from './postgres-safety.ts'
import { migrate } from './postgres-schema.ts'
import { createStatements, type Statements } from './postgres-statements.ts'
import { checkSchema, parsePostgresUrl } from './postgres-url.ts'

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`, with `?sslmode=verify-full` for TLS. */
  readonly url: string
  /** How long a call may take, in milliseconds. Default 2000. */
  readonly timeoutMs?: number
  /** The schema of the database to keep the tables in; made where it is missing. Default: the first of the user's search path. */
  readonly schema?: string
  /** Connections of this process at most. Default 10. */
  readonly maxConnections?: number
  /**
   * Whether rows may be kept in this process. It takes one more connection, and endings are then answered 0.15 s later, so that no
   * process finds what has ended: all must have it, or none. Default false.
   */
  readonly cache?: boolean
}

type Guarded = {
  readonly key: string
  readonly ifVersion: number | undefined
  readonly now: number
  readonly deadline: number
}

const REPEATABLE = { repeatable: true }

/**
 * A store in PostgreSQL 13 or newer. It makes and upgrades its tables (`pbs_…`) when it is opened.
 * What was acknowledged is as durable as the server's settings make it; by default it survives the death of the server.
 * @throws ConfigError where the URL or an option is wrong, or the package `pg` is not installed.
 * @example
 * const store = await createPostgresStore({ url: 'postgres://app:secret@db.example.com/app?sslmode=verify-full' })
 * const auth = await createAuth({ store, … })
 */
export async function createPostgresStore(options: PostgresStoreOptions): Promise<CopyableStore> {
  const { connection, ...inUrl } = parsePostgresUrl(options.url)
  const schema = options.schema ?? inUrl.schema
  const maxConnections = options.maxConnections ?? inUrl.maxConnections ?? 10
  if (!Number.isInteger(maxConnections) || maxConnections < 1) {
    throw new ConfigError(['store: max_connections is how many connections PostgreSQL may get, 1 or more'])
  }
  const prefix = schema === undefined ? 'pbs_' : `"${checkSchema(schema)}".pbs_`
  const driver = await loadDriver()
  const timeoutMs = options.timeoutMs ?? 2000
  const connect = (): PostgresPool => new PostgresPool(driver, { connection, maxConnections, timeoutMs })
  const store = new PostgresStore({ schema, prefix }, connect)
  if (options.cache !== true) return store
  const feed = new PostgresFeed(driver, {
    connection,
    timeoutMs,
    prepare: () => store.tellEndings(),
    tell: (keys) => store.announce(keys),
  })
  return cachingStore(store, { feed, timeoutMs })
}

class PostgresStore implements CopyableStore {
  readonly name = 'postgres'
  readonly #place: { readonly schema: string | undefined; readonly prefix: string }
  readonly #sql: Statements
  readonly #connect: () => PostgresPool
  #open: PostgresPool | undefined

  constructor(place: { readonly schema: string | undefined; readonly prefix: string }, connect: () => PostgresPool) {
    this.#place = place
    this.#sql = createStatements(place.prefix)
    this.#connect = connect
  }

  async open(): Promise<void> {
    if (this.#open !== undefined) return
    const pool = this.#connect()
    try {
      await pool.borrow((exec) => migrate(exec, this.#place))
      this.#open = pool
    } catch (error) {
      await pool.close()
      throw error
    }
  }

  async close(): Promise<void> {
    const pool = this.#open
    this.#open = undefined
    await pool?.close()
  }

  async ping(): Promise<void> {
    await this.#pool.run(this.#sql.epoch, [], REPEATABLE)
  }

  async warnings(): Promise<readonly string[]> {
    return this.#pool.borrow(findWarnings)
  }

  async find(key: string, now: number): Promise<FindResult> {
    const { rows } = await this.#pool.run(this.#sql.find, [key], REPEATABLE)
    const [row] = rows as readonly SessionRow[] // the statement selects these columns
    if (row === undefined) return undefined
    const ended = toEnded(row) ?? timedOut(toColumns(row), now)
    return ended ? { ended } : { live: toRecord(row) }
  }

  async create(record: SessionRecord): Promise<void> {
    const deadline = this.#pool.deadline()
    // Repeatable, since whose row it is can be told by its random handle.
    const inserted = await this.#pool.run(this.#sql.insert, toRow(record), { ...REPEATABLE, deadline })
    if (inserted.count === 1 || (await this.#isMine(record, inserted, deadline))) return
    throw new Error('A session with this key exists already.')
  }

  async update(key: string, update: SessionUpdate, now: number): Promise<number | 'gone' | 'conflict'> {
    const { ifVersion } = update
    const deadline = this.#pool.deadline()
    for (;;) {
      const values = [key, now, ifVersion ?? null, ...toChanges(update)]
      const { rows } = await this.#pool.run(this.#sql.update, values, { deadline })
      if (rows[0] !== undefined) return Number(rows[0][0])
      const missed = await this.#whyMissed({ key, ifVersion, now, deadline })
      if (missed !== 'again') return missed
    }
  }

  async touch(touches: readonly SessionTouch[], now: number): Promise<void> {
    const latest = mergeTouches(touches)
    if (latest.length === 0) return
    const keys = latest.map(({ key }) => key)
    const seen = latest.map(({ lastSeenAt }) => lastSeenAt)
    const idle = latest.map(({ idleExpiresAt }) => idleExpiresAt)
    await this.#pool.run(this.#sql.touch, [keys, seen, idle, now], REPEATABLE)
  }

  async replace(
    oldKey: string,
    record: SessionRecord,
    { ifVersion }: { readonly ifVersion?: number },
    now: number,
  ): Promise<'replaced' | 'gone' | 'conflict'> {
    const deadline = this.#pool.deadline()
    for (;;) {
      const values = [...toRow(record), 'rotated', now, oldKey, ifVersion ?? null]
      const answer = await this.#pool.run(this.#sql.replace, values, { ...REPEATABLE, deadline })
      if (answer.count === 1 || (await this.#isMine(record, answer, deadline))) return 'replaced'
      const missed = await this.#whyMissed({ key: oldKey, ifVersion, now, deadline })
      if (missed !== 'again') return missed
    }
  }

  async end(key: string, reason: EndReason, now: number): Promise<number> {
    return (await this.#pool.run(this.#sql.end, [key, reason, now])).count
  }

  async endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    options: { readonly exceptKey?: string } = {},
  ): Promise<number> {
    const deadline = this.#pool.deadline()
    // Committed before the next statement looks: a sign-in whose row that one does not see yet will see this epoch.
    await this.#pool.run(this.#sql.raiseEpoch, [userId, now], { deadline })
    const values = [userId, options.exceptKey ?? null, reason, now]
    return (await this.#pool.run(this.#sql.endByUser, values, { deadline })).count
  }

  async epoch(userId?: string): Promise<number> {
    const { rows } =
      userId === undefined
        ? await this.#pool.run(this.#sql.epoch, [], REPEATABLE)
        : await this.#pool.run(this.#sql.userEpoch, [userId], REPEATABLE)
    return Number(rows[0]?.[0] ?? 0)
  }

  async listByUser(userId: string, now: number): Promise<readonly SessionColumns[]> {
    return columnRows(await this.#pool.run(this.#sql.listByUser, [userId, now], REPEATABLE)).map(toColumns)
  }

  async scan(cursor: string | null, limit: number): Promise<ScanPage> {
    const rows = columnRows(await this.#pool.run(this.#sql.scan, [cursor ?? '', limit], REPEATABLE))
    const sessions = rows.map((row) => ({ ...toColumns(row), ended: toEnded(row) }))
    return { sessions, cursor: rows.length < limit ? null : (sessions.at(-1)?.key ?? null) }
  }

  async deleteExpired(now: number, limit: number): Promise<number> {
    const sql = this.#sql
    const deadline = this.#pool.deadline()
    const steps = [
      [sql.deleteSessions, now],
      [sql.deleteClaims, now],
      [sql.deleteCounters, now],
      [sql.deleteEpochs, now - EPOCH_KEPT_MS],
    ] as const
    let left = limit
    for (const [statement, until] of steps) {
      if (left > 0) left -= (await this.#pool.run(statement, [until, left], { ...REPEATABLE, deadline })).count
    }
    return limit - left
  }

  async claim(name: string, until: number, now: number): Promise<boolean> {
    return (await this.#pool.run(this.#sql.claim, [name, until, now])).count === 1
  }

  async release(name: string): Promise<void> {
    await this.#pool.run(this.#sql.release, [name])
  }

  async hit(name: string, windowMs: number, now: number, weight: 0 | 1 = 1) {
    const { rows } =
      weight === 0
        ? await this.#pool.run(this.#sql.counter, [name, now], REPEATABLE)
        : await this.#pool.run(this.#sql.hit, [name, now + windowMs, now])
    const [count, resetAt] = rows[0] ?? []
    return { count: Number(count ?? 0), resetAt: Number(resetAt ?? now + windowMs) }
  }

  async reset(name: string): Promise<void> {
    await this.#pool.run(this.#sql.reset, [name])
  }

  /** From now on every process tells of what it ends. Once in the life of the tables it waits for writes that are under way. */
  async tellEndings(): Promise<void> {
    if ((await this.#pool.run(this.#sql.rowsAreKept, [], REPEATABLE)).count === 1) return
    const { prefix } = this.#place
    const lock = `LOCK TABLE ${prefix}sessions IN SHARE ROW EXCLUSIVE MODE`
    await this.#pool.borrow((exec) => exec(`BEGIN; ${lock}; UPDATE ${prefix}schema SET rows_are_kept = true; COMMIT`))
  }

  /** Tells the processes that keep rows that these have changed. */
  async announce(keys: readonly string[]): Promise<void> {
    await this.#pool.run(this.#sql.announce, [keys], REPEATABLE)
  }

  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage> {
    return exportSections(postgresSections(this.#pool, this.#sql), cursor, limit)
  }

  importEntries(entries: readonly StoreEntry[]): Promise<number> {
    return importIntoPostgres(this.#pool, this.#sql, entries)
  }

  get #pool(): PostgresPool {
    if (this.#open === undefined) throw new Error('The session store is not open.')
    return this.#open
  }

  /** Whether the row that stands in the way is the one that an attempt before, whose answer was lost, has written. */
  async #isMine(record: SessionRecord, answer: Answer, deadline: number): Promise<boolean> {
    if (!answer.isRepeated) return false
    const found = await this.#pool.run(this.#sql.isMine, [record.key, record.handle], { ...REPEATABLE, deadline })
    return found.count === 1
  }

  /** Why a guarded write found no row. `again`: by now there is one it would have written. */
  async #whyMissed({ key, ifVersion, now, deadline }: Guarded): Promise<'gone' | 'conflict' | 'again'> {
    if (ifVersion === undefined) return 'gone'
    const { rows } = await this.#pool.run(this.#sql.version, [key, now], { ...REPEATABLE, deadline })
    if (rows[0] === undefined) return 'gone'
    return Number(rows[0][0]) === ifVersion ? 'again' : 'conflict'
  }
}

function columnRows({ rows }: Answer): readonly ColumnsRow[] {
  return rows as readonly ColumnsRow[] // the statements select these columns
}

/** One touch a key: a statement changes each row once, whatever it is joined with. */
function mergeTouches(touches: readonly SessionTouch[]): readonly SessionTouch[] {
  const latest = new Map<string, SessionTouch>()
  for (const touch of touches) {
    const before = latest.get(touch.key) ?? touch
    latest.set(touch.key, {
      key: touch.key,
      lastSeenAt: Math.max(before.lastSeenAt, touch.lastSeenAt),
      idleExpiresAt: Math.max(before.idleExpiresAt, touch.idleExpiresAt),
    })
  }
  return [...latest.values()]
}
