// One connection to the SQLite file: transactions, how durable each is, and waiting for other processes' locks.

import type { DatabaseSync } from 'node:sqlite'
import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import { LockLine } from './lock-line.ts'
import { isLocked, openSqliteFile } from './sqlite-file.ts'
import { prepareStatements, type Statements } from './sqlite-statements.ts'

/**
 * `FULL`: on the disk when the call answers. `NORMAL`: survives the death of the process, but a power cut may undo it.
 * A FULL commit also brings every earlier NORMAL one to the disk, since all go through one log.
 */
export type Durability = 'FULL' | 'NORMAL'

interface Open {
  readonly db: DatabaseSync
  readonly sql: Statements
}

export class SqliteConnection {
  readonly #path: string
  readonly #reads: LockLine
  readonly #writes: LockLine
  #open: Open | undefined
  #durability: Durability = 'FULL'

  constructor(path: string, timeoutMs: number) {
    this.#path = path
    this.#reads = new LockLine(timeoutMs, isLocked)
    this.#writes = new LockLine(timeoutMs, isLocked)
  }

  open(): MaybePromise<void> {
    if (this.#open !== undefined) return
    return andThen(
      this.#writes.run(() => openSqliteFile(this.#path)),
      (db) => {
        this.#open = { db, sql: prepareStatements(db) }
        this.#durability = 'FULL'
      },
    )
  }

  close(): void {
    this.#reads.close()
    this.#writes.close()
    this.#open?.db.close()
    this.#open = undefined
  }

  /** Readers wait for nobody, except while another process repairs the log after a crash. */
  read<T>(work: (sql: Statements) => T): MaybePromise<T> {
    return this.#reads.run(() => work(this.#opened().sql))
  }

  /** Runs `work` in one transaction; what throws is undone. */
  write<T>(durability: Durability, work: (sql: Statements) => T): MaybePromise<T> {
    return this.#writes.run(() => this.#transact(this.#opened(), durability, work))
  }

  #transact<T>({ db, sql }: Open, durability: Durability, work: (sql: Statements) => T): T {
    if (durability !== this.#durability) {
      db.exec(`PRAGMA synchronous = ${durability}`)
      this.#durability = durability
    }
    sql.begin.run()
    try {
      const result = work(sql)
      sql.commit.run()
      return result
    } finally {
      if (db.isTransaction) db.exec('ROLLBACK') // work or commit threw; a full disk may have rolled back by itself
    }
  }

  #opened(): Open {
    if (this.#open === undefined) throw new Error('The session store is not open.')
    return this.#open
  }
}
