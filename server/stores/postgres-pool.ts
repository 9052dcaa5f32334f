// Connections to PostgreSQL: every statement has a deadline, and a connection that failed or went silent is never used again.

import type { ClientBase, Pool, PoolClient, PoolConfig, QueryArrayResult } from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../lib/deadline.ts'
import type { Driver } from './postgres-driver.ts'
import { PostgresError, toPostgresError } from './postgres-error.ts'
import type { SqlValue } from './postgres-rows.ts'
import type { Exec } from './postgres-schema.ts'
import type { Statement } from './postgres-statements.ts'

export interface PoolOptions {
  readonly connection: PoolConfig
  readonly maxConnections: number
  readonly timeoutMs: number
}

export interface Answer {
  readonly rows: readonly (readonly (string | null)[])[]
  /** Rows that were found or written. */
  readonly count: number
  /** An earlier attempt was lost on its way: it may have been this very statement that did the work before. */
  readonly isRepeated: boolean
}

export interface RunOptions {
  /** Doing it twice is the same as doing it once: where the connection is lost, it is sent again. */
  readonly repeatable?: boolean
  /** From `deadline()`, where several statements make one call. */
  readonly deadline?: number
}

const IDLE_MS = 30_000
const KEEP_ALIVE_MS = 10_000
/** Two transactions that ran into each other must not try again in step. */
const RETRY_MS = 5
const JITTER_MS = 20
/** A connection is lost by a restart or a failover; when it happens again at once, there is more to it. */
const MAX_LOST = 2
/** Every value as the text that PostgreSQL writes: the store knows its columns. */
const AS_TEXT = { getTypeParser: () => (text: string) => text }

export class PostgresPool {
  readonly #timeoutMs: number
  readonly #pool: Pool
  /** Connections nobody uses at the moment, and when each was last heard of. */
  readonly #idle = new Map<PoolClient, number>()
  readonly #all = new Set<PoolClient>()

  constructor({ Pool: PgPool }: Driver, { connection, maxConnections, timeoutMs }: PoolOptions) {
    this.#timeoutMs = timeoutMs
    this.#pool = new PgPool({
      ...connection,
      max: maxConnections,
      connectionTimeoutMillis: timeoutMs,
      idleTimeoutMillis: IDLE_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      // oxlint-disable-next-line typescript/no-misused-promises -- the driver waits for it; its types do not say so
      onConnect: (client) => this.#prepare(client),
    })
    // The pool has already taken the connection out; whoever needs one gets a new one. Unheard, it would end the process.
    this.#pool.on('error', ignore)
    this.#pool.on('connect', (client) => {
      this.#all.add(client)
      client.on('error', ignore) // the statement that runs on it rejects by itself
      client.once('end', () => this.#all.delete(client))
    })
    for (const left of ['acquire', 'remove'] as const) this.#pool.on(left, (client) => this.#idle.delete(client))
  }

  /** By when a call that begins now has to be answered. */
  deadline(): number {
    return performance.now() + this.#timeoutMs
  }

  /** Runs one prepared statement. @throws PostgresError at the deadline at the latest. */
  async run(statement: Statement, values: readonly SqlValue[], options: RunOptions = {}): Promise<Answer> {
    const deadline = options.deadline ?? this.deadline()
    for (let lost = 0; ;) {
      try {
        const result = await this.#once(statement, values, deadline)
        return { rows: result.rows, count: result.rowCount ?? 0, isRepeated: lost > 0 }
      } catch (error) {
        const failure = toPostgresError(error)
        if (failure.kind === 'lost') lost += 1
        const mayRepeat =
          failure.kind === 'undone' || (failure.kind === 'lost' && options.repeatable && lost < MAX_LOST)
        const pauseMs = RETRY_MS + Math.random() * JITTER_MS
        if (!mayRepeat || performance.now() + pauseMs >= deadline) throw failure
        await delay(pauseMs)
      }
    }
  }

  /** Lends one connection for SQL that is not prepared. */
  async borrow<T>(work: (exec: Exec) => Promise<T>): Promise<T> {
    const client = await this.#acquire(this.deadline())
    const exec: Exec = async (sql, timeoutMs = this.#timeoutMs) => {
      const query = { text: sql, rowMode: 'array' as const, types: AS_TEXT, query_timeout: timeoutMs }
      const results = [await client.query<(string | null)[]>(query).catch(rethrow)].flat()
      return results.at(-1)?.rows ?? []
    }
    try {
      return await work(exec)
    } finally {
      client.release(true) // it may still be inside a transaction
    }
  }

  async close(): Promise<void> {
    // Waits for what is under way, which the deadlines bound.
    await withDeadline(this.#pool.end(), this.#timeoutMs, () => new Error('late')).catch(ignore)
    // A server that is silent does not answer a goodbye either, and an open socket keeps the process alive.
    for (const client of this.#all) destroy(client)
  }

  async #once(
    statement: Statement,
    values: readonly SqlValue[],
    deadline: number,
  ): Promise<QueryArrayResult<(string | null)[]>> {
    const client = await this.#acquire(deadline)
    const started = performance.now()
    try {
      const query_timeout = Math.max(1, deadline - started)
      const query = { ...statement, values: [...values], rowMode: 'array' as const, types: AS_TEXT, query_timeout }
      const result = await client.query<(string | null)[]>(query)
      this.#release(client)
      return result
    } catch (error) {
      const failure = toPostgresError(error)
      if (failure.kind === 'refused' || failure.kind === 'undone') this.#release(client)
      else this.#discard(client, started)
      throw failure
    }
  }

  /** Set by SQL and not as start-up parameters, which proxies refuse. The server gives up when the caller has. */
  async #prepare(client: ClientBase): Promise<void> {
    const settings = [
      `statement_timeout = ${this.#timeoutMs}`,
      `idle_in_transaction_session_timeout = ${IDLE_MS}`,
      "default_transaction_isolation = 'read committed'",
    ]
    const query = { text: settings.map((setting) => `SET ${setting}`).join('; '), query_timeout: this.#timeoutMs }
    await client.query(query)
  }

  async #acquire(deadline: number): Promise<PoolClient> {
    const pending = this.#pool.connect()
    const late = (): Error => new PostgresError('late', 'timeout: no connection to PostgreSQL became free in time')
    try {
      return await withDeadline(pending, Math.max(1, deadline - performance.now()), late)
    } catch (error) {
      // One that comes after all goes back; where none does, the error is thrown already.
      pending.then((client) => client.release(), ignore)
      throw unreachable(error)
    }
  }

  #release(client: PoolClient): void {
    this.#idle.set(client, performance.now())
    client.release()
  }

  /**
   * Ends a connection that failed, and with it the idle ones not heard of since the statement was sent: where a network
   * has swallowed one, it has most likely swallowed them all, and each would cost one call its deadline.
   */
  #discard(client: PoolClient, since: number): void {
    client.release(true)
    for (const [idle, heardAt] of this.#idle) {
      if (heardAt >= since) continue
      this.#idle.delete(idle)
      destroy(idle)
    }
  }
}

/** Without a connection nothing was sent, whatever went wrong. */
function unreachable(error: unknown): PostgresError {
  const { kind, message, code } = toPostgresError(error)
  return new PostgresError(kind === 'late' ? 'late' : 'refused', message, code)
}

/** Closes the socket at once. An idle connection's pool hears of it as an error and forgets it. */
export function destroy(client: ClientBase): void {
  // The driver's public `end` says goodbye first, and a silent server never answers.
  const { connection } = client as unknown as {
    readonly connection: { readonly stream: { destroy(error: Error): void } }
  }
  connection.stream.destroy(new Error('the connection was given up'))
}

function rethrow(error: unknown): never {
  throw toPostgresError(error)
}

function ignore(): void {
  // Said where it is used.
}
