// The store's calls: each has a deadline, and its errors show nothing but names and codes.

import type { ChangeStream, ChangeStreamDocument } from 'mongodb'
import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { CopyableStore, EntryPage, StoreEntry } from '../sessions/copyable-store.ts'
import type { SessionColumns, SessionRecord } from '../sessions/record.ts'
import type { EndReason } from '../sessions/reasons.ts'
import type { FindResult, ScanPage, SessionTouch, SessionUpdate } from '../sessions/store.ts'
import { exportSections } from './export-sections.ts'
import type { MongoConnection } from './mongo-connection.ts'
import { importIntoMongo, mongoSections } from './mongo-copy.ts'
import type { MongoCall } from './mongo-decide.ts'
import type { SessionDocument } from './mongo-documents.ts'
import { MongoStoreError, toStoreError } from './mongo-driver.ts'
import { claimName, countHit, lookAtCount, releaseName, resetCount, type Count } from './mongo-names.ts'
import {
  createSession,
  endSession,
  findSession,
  listSessions,
  replaceSession,
  scanSessions,
  touchSessions,
  updateSession,
} from './mongo-sessions.ts'
import { sweep } from './mongo-sweep.ts'
import { TimeLimit } from './mongo-time-limit.ts'
import { endUser, readEpoch } from './mongo-users.ts'

export interface MongoStoreParts {
  /** Deadline of a call. */
  readonly timeoutMs: number
  /** Tests put something in between. */
  readonly connect: () => Promise<MongoConnection>
}

export class MongoStore implements CopyableStore {
  readonly name = 'mongo'
  readonly #parts: MongoStoreParts
  #opening: Promise<MongoConnection> | undefined
  #connection: MongoConnection | undefined

  constructor(parts: MongoStoreParts) {
    this.#parts = parts
  }

  async open(): Promise<void> {
    this.#opening ??= this.#parts.connect()
    const opening = this.#opening
    try {
      const connection = await opening
      // Closed meanwhile: close() ends this connection.
      if (this.#opening === opening) this.#connection = connection
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined
      throw error
    }
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    this.#connection = undefined
    const [opened] = await Promise.allSettled([opening])
    if (opened.status === 'fulfilled') await opened.value?.close()
  }

  ping(): Promise<void> {
    return this.#call('ping', ({ db }) => db.ping())
  }

  warnings(): readonly string[] {
    return this.#connection?.warnings ?? []
  }

  find(key: string, now: number): Promise<FindResult> {
    return this.#call('find', (call) => findSession(call, key, now))
  }

  create(record: SessionRecord): Promise<void> {
    return this.#call('create', (call) => createSession(call, record))
  }

  update(key: string, update: SessionUpdate, now: number): Promise<number | 'gone' | 'conflict'> {
    return this.#call('update', (call) => updateSession(call, key, update, now))
  }

  touch(touches: readonly SessionTouch[], now: number): Promise<void> {
    return this.#call('touch', (call) => touchSessions(call, touches, now))
  }

  replace(
    oldKey: string,
    record: SessionRecord,
    { ifVersion }: { readonly ifVersion?: number },
    now: number,
  ): Promise<'replaced' | 'gone' | 'conflict'> {
    return this.#call('replace', (call) => replaceSession(call, oldKey, record, { ifVersion, now }))
  }

  end(key: string, reason: EndReason, now: number): Promise<number> {
    return this.#call('end', (call) => endSession(call, key, reason, now))
  }

  endByUser(
    userId: string,
    reason: EndReason,
    now: number,
    { exceptKey }: { readonly exceptKey?: string } = {},
  ): Promise<number> {
    return this.#call('endByUser', (call) => endUser(call, userId, reason, { now, exceptKey }))
  }

  epoch(userId?: string): Promise<number> {
    return this.#call('epoch', (call) => readEpoch(call, userId))
  }

  listByUser(userId: string, now: number): Promise<readonly SessionColumns[]> {
    return this.#call('listByUser', (call) => listSessions(call, userId, now))
  }

  scan(cursor: string | null, limit: number): Promise<ScanPage> {
    return this.#call('scan', (call) => scanSessions(call, cursor, limit))
  }

  deleteExpired(now: number, limit: number): Promise<number> {
    return this.#call('deleteExpired', (call) => sweep(call, now, limit))
  }

  claim(name: string, until: number, now: number): Promise<boolean> {
    return this.#call('claim', (call) => claimName(call, name, until, now))
  }

  release(name: string): Promise<void> {
    return this.#call('release', (call) => releaseName(call, name))
  }

  hit(name: string, windowMs: number, now: number, weight: 0 | 1 = 1): Promise<Count> {
    return this.#call('hit', (call) => (weight === 0 ? lookAtCount : countHit)(call, name, windowMs, now))
  }

  reset(name: string): Promise<void> {
    return this.#call('reset', (call) => resetCount(call, name))
  }

  /** All changes of sessions from now on, but new ones. */
  watch(): ChangeStream<SessionDocument, ChangeStreamDocument<SessionDocument>> {
    if (this.#connection === undefined) throw new MongoStoreError('the session store is not open')
    const pipeline = [
      { $match: { operationType: { $ne: 'insert' } } },
      { $project: { operationType: 1, documentKey: 1 } },
    ]
    // An answer without news must come before the driver takes the server for dead.
    const maxAwaitTimeMS = Math.min(Math.ceil(this.#parts.timeoutMs / 8), 1000)
    return this.#connection.sessions.watch(pipeline, { readConcern: { level: 'majority' }, maxAwaitTimeMS })
  }

  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage> {
    return exportSections(
      mongoSections((work) => this.#call('exportEntries', work)),
      cursor,
      limit,
    )
  }

  importEntries(entries: readonly StoreEntry[]): Promise<number> {
    return this.#call('importEntries', (call) => importIntoMongo(call, entries))
  }

  async #call<T>(name: string, work: (call: MongoCall) => Promise<T>): Promise<T> {
    if (this.#connection === undefined) throw new MongoStoreError('the session store is not open')
    const limit = new TimeLimit(this.#parts.timeoutMs)
    const call = { db: this.#connection, limit }
    try {
      return await limit.race(work(call))
    } catch (error) {
      throw toStoreError(name, error)
    }
  }
}
