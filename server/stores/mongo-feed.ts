// Hears by a change stream what other processes change in MongoDB. It comes when it comes: nothing tells until when everything has
// been heard of, so that a row may be used for one lease after it was asked for, and no longer.

import type { ChangeStream, ChangeStreamDocument } from 'mongodb'
import type { ChangeFeed } from './change-feed.ts'
import { idOf, type SessionDocument } from './mongo-documents.ts'
import { codeOf } from './mongo-driver.ts'

type SessionChange = ChangeStreamDocument<SessionDocument>
type SessionChanges = ChangeStream<SessionDocument, SessionChange>

const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000
/** By the server's code: it will not get better by itself. */
const REASONS: Readonly<Record<string, string>> = {
  40573: 'change streams need a replica set. Make the server one, or switch the cache off',
  13: 'the user has no right to changeStream on pbs_sessions. The role readWrite has it',
}

export class MongoFeed implements ChangeFeed {
  readonly #watch: () => SessionChanges
  #onChange: (key: string | null) => void = () => {}
  #changes: SessionChanges | undefined
  #isOpen = false
  #isClosed = true
  #warnings: readonly string[] = []
  #pauseMs = FIRST_PAUSE_MS
  #timer: NodeJS.Timeout | undefined

  /** `watch`: begins a change stream, which is connected by itself. */
  constructor(watch: () => SessionChanges) {
    this.#watch = watch
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get warnings(): readonly string[] {
    return this.#warnings
  }

  open(onChange: (key: string | null) => void): Promise<void> {
    this.#onChange = onChange
    this.#isClosed = false
    return this.#connect()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#leave(this.#changes)
  }

  heardUntil(): number {
    return -Infinity
  }

  /** The stream shows every write. */
  async announce(): Promise<void> {}

  /** Settles when the stream has begun, or failed. What the driver can take up where it broke off, it does. */
  #connect(): Promise<void> {
    return new Promise((resolve) => {
      const changes = this.#watch()
      this.#changes = changes
      const onEnd = (error?: unknown): void => {
        if (this.#changes === changes) this.#lose(error)
        resolve()
      }
      changes.on('change', (change) => {
        this.#onChange(keyOf(change))
        if (change.operationType === 'invalidate') onEnd()
      })
      changes.on('error', onEnd)
      changes.once('resumeTokenChanged', () => {
        this.#isOpen = this.#changes === changes
        this.#pauseMs = FIRST_PAUSE_MS
        resolve()
      })
    })
  }

  #lose(error: unknown): void {
    const reason = REASONS[String(codeOf(error))]
    if (reason !== undefined) this.#warnings = [`no session is kept in memory: ${reason}`]
    void this.#leave(this.#changes)
    if (reason !== undefined || this.#isClosed) return
    this.#timer = setTimeout(() => void this.#connect(), this.#pauseMs).unref()
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS)
  }

  /** What was changed from now on is not heard of. */
  async #leave(changes: SessionChanges | undefined): Promise<void> {
    this.#changes = undefined
    this.#isOpen = false
    this.#onChange(null)
    // The driver says how it went by events, and nothing is left to do about it.
    await Promise.allSettled([changes?.close()])
  }
}

/** `null` where the whole collection is gone, or another. */
function keyOf(change: SessionChange): string | null {
  return 'documentKey' in change ? idOf(change.documentKey).toString() : null
}
