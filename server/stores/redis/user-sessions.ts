// A user's rows, and the epoch at which all of them were last ended. They share a slot with each other but not with the rows, so
// nothing is atomic across both, and the order of steps is what counts: the entry before the row, the end of the row before that
// of the entry, the epoch before the list. An entry may be without its row; a row is never without its entry.

import { timedOut } from '../lifetime.ts'
import type { SessionColumns, SessionRecord } from '../../sessions/record.ts'
import type { EndReason } from '../../sessions/reasons.ts'
import { newWriteId, type RedisCommands } from './commands.ts'
import { readRowColumns } from './expiry-index.ts'
import type { RedisKeys } from './keys.ts'
import { columnsOf, type RedisRow } from './rows.ts'
import { END, INDEX, NOTE_EPOCH } from './scripts.ts'
import type { TimeLimit } from './time-limit.ts'
import { EPOCH_TO_LIVE_MS } from './time-to-live.ts'

export interface Ending {
  readonly reason: EndReason
  readonly now: number
  readonly limit: TimeLimit
}

export interface EpochNote {
  readonly userId: string
  readonly epoch: number
  readonly notedAt: number
}

interface Entry {
  readonly key: string
  /** Absolute deadline of the row. */
  readonly expiresAt: number
}

export class UserSessions {
  readonly #commands: RedisCommands
  readonly #keys: RedisKeys

  constructor(commands: RedisCommands, keys: RedisKeys) {
    this.#commands = commands
    this.#keys = keys
  }

  /** Makes the entry of a row that is about to be written. */
  async add({ userId, key, expiresAt }: SessionRecord, ttlMs: number, limit: TimeLimit): Promise<void> {
    if (userId === null) return
    const input = { keys: [this.#keys.userRows(userId)], args: [String(expiresAt), key, String(ttlMs)] } as const
    await this.#commands.script(INDEX, input, { limit, isDurable: true, isRepeatable: true })
  }

  async list(userId: string, now: number, limit: TimeLimit): Promise<readonly SessionColumns[]> {
    const entries = await this.#entries(userId, limit)
    const rows = await Promise.all(entries.map(({ key }) => readRowColumns(this.#commands, this.#keys, { key, limit })))
    const dead = entries.filter((entry, i) => isDead(entry, rows[i], { userId, now }))
    this.#forget(
      userId,
      dead.map(({ key }) => key),
      limit,
    )
    return rows
      .filter((row) => row !== undefined)
      .filter(({ record, ended }) => record.userId === userId && !ended && !timedOut(record, now))
      .map(columnsOf)
      .toSorted((a, b) => b.createdAt - a.createdAt)
  }

  /** Ends a session. Answers how many that were: 1 or 0. */
  async end(key: string, ending: Ending): Promise<number> {
    const userId = await this.#end(key, ending, [newWriteId()])
    if (userId) this.#forget(userId, [key], ending.limit)
    return userId === null ? 0 : 1
  }

  async endAll(userId: string, exceptKey: string | undefined, ending: Ending): Promise<number> {
    const durably = { limit: ending.limit, isDurable: true, isRepeatable: true }
    const epoch = Number(await this.#commands.run(['INCR', this.#keys.epoch], durably))
    await this.noteEpoch({ userId, epoch, notedAt: ending.now }, ending.limit)

    const write = newWriteId()
    const entries = await this.#entries(userId, ending.limit)
    const ended = await Promise.all(
      entries.map(async ({ key }) => key !== exceptKey && (await this.#end(key, ending, [write, userId])) !== null),
    )
    const keys = entries.filter((_, i) => ended[i]).map(({ key }) => key)
    this.#forget(userId, keys, ending.limit)
    return keys.length
  }

  async epoch(userId: string | undefined, limit: TimeLimit): Promise<number> {
    const command =
      userId === undefined
        ? (['GET', this.#keys.epoch] as const)
        : (['HGET', this.#keys.userEpoch(userId), 'epoch'] as const)
    return Number(await this.#commands.run(command, { limit, isRepeatable: true }))
  }

  async noteEpoch({ userId, epoch, notedAt }: EpochNote, limit: TimeLimit): Promise<void> {
    const args = [userId, String(epoch), String(notedAt), String(EPOCH_TO_LIVE_MS)]
    const input = { keys: [this.#keys.userEpoch(userId)], args } as const
    await this.#commands.script(NOTE_EPOCH, input, { limit, isDurable: true, isRepeatable: true })
  }

  /** Whose session it ended; null for none, '' for nobody's. */
  async #end(
    key: string,
    { reason, now, limit }: Ending,
    [write, userId]: readonly [string, string?],
  ): Promise<string | null> {
    const args = [String(now), reason, write, ...(userId === undefined ? [] : [userId])]
    const input = { keys: [this.#keys.row(key)], args } as const
    const answer = await this.#commands.script(END, input, { limit, isDurable: true, isRepeatable: true })
    return typeof answer === 'string' ? answer : null
  }

  async #entries(userId: string, limit: TimeLimit): Promise<readonly Entry[]> {
    const range = ['ZRANGE', this.#keys.userRows(userId), '0', '-1', 'WITHSCORES'] as const
    const pairs = (await this.#commands.run(range, { limit, isRepeatable: true })) as readonly [string, number][] // as RESP3 has it
    return pairs.map(([key, expiresAt]) => ({ key, expiresAt }))
  }

  /** Removes entries whose sessions are over. Nobody waits for it: a list passes them over, and removes them too. */
  #forget(userId: string, keys: readonly string[], limit: TimeLimit): void {
    if (keys.length === 0) return
    // What fails here is done by the next list.
    this.#commands.run(['ZREM', this.#keys.userRows(userId), ...keys], { limit }).catch(() => {})
  }
}

/**
 * Whether an entry can go. One without a row may be that of a row which is just about to be written, so it stays until that row
 * could not be live any more. A key that belongs to somebody else was refused when it was to be created a second time.
 */
function isDead(entry: Entry, row: RedisRow | undefined, { userId, now }: { userId: string; now: number }): boolean {
  if (row === undefined) return entry.expiresAt <= now
  return row.ended !== null || row.record.userId !== userId || row.record.expiresAt <= now
}
