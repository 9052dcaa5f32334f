// Sets of all rows by their absolute deadline: what a scan walks through and a sweep deletes from. An entry is written before
// its row and goes after it, so no row is ever missing here.

import type { SessionRecord } from '../../sessions/record.ts'
import type { ScanPage } from '../../sessions/store.ts'
import type { RedisCommands } from './commands.ts'
import type { RedisKeys } from './keys.ts'
import { columnsOf, readColumns, ROW_FIELDS, type RedisRow } from './rows.ts'
import { DELETE, INDEX, PAGE } from './scripts.ts'
import type { TimeLimit } from './time-limit.ts'

/** Where a scan goes on: in which set, and after which entry. */
interface Position {
  readonly bucket: number
  readonly deadline: string
  readonly key: string
}

export class ExpiryIndex {
  readonly #commands: RedisCommands
  readonly #keys: RedisKeys
  /** Where the next sweep begins, so that no set waits for ever behind a busy one. */
  #nextBucket = 0

  constructor(commands: RedisCommands, keys: RedisKeys) {
    this.#commands = commands
    this.#keys = keys
  }

  async add({ key, expiresAt }: SessionRecord, limit: TimeLimit): Promise<void> {
    const input = { keys: [this.#keys.bucket(key)], args: [String(expiresAt), key, ''] } as const
    await this.#commands.script(INDEX, input, { limit, isDurable: true, isRepeatable: true })
  }

  async scan(cursor: string | null, size: number, limit: TimeLimit): Promise<ScanPage> {
    const page = await this.page(cursor, size, limit)
    const rows = await this.#read(page.keys, limit)
    return { sessions: rows.map((row) => ({ ...columnsOf(row), ended: row.ended })), cursor: page.cursor }
  }

  /** Keys of rows, some of which may not be there. */
  async page(cursor: string | null, size: number, limit: TimeLimit) {
    const keys: string[] = []
    let position = readCursor(cursor)
    while (keys.length < size && position.bucket < this.#keys.buckets.length) {
      const page = await this.#page(position, size - keys.length, limit)
      keys.push(...page.keys)
      position = page.next
    }
    const isLast = position.bucket >= this.#keys.buckets.length
    return { keys, cursor: isLast ? null : `${position.bucket}:${position.deadline}:${position.key}` }
  }

  /** Deletes rows whose absolute deadline has passed, at most `most`. Answers how many. */
  async sweep(now: number, most: number, limit: TimeLimit): Promise<number> {
    const due = await this.#countDue(now, limit)
    let left = most
    for (let i = 0; i < due.length && left > 0; i += 1) {
      const bucket = (this.#nextBucket + i) % due.length
      // Entries without a row do not count, so there may be more to take from the same set.
      for (let entries = due[bucket] ?? 0; entries > 0 && left > 0;) {
        entries -= left
        left -= await this.#sweepBucket(this.#keys.buckets[bucket] ?? '', { now, most: left, limit })
      }
    }
    this.#nextBucket = (this.#nextBucket + 1) % due.length
    return most - left
  }

  async #page(from: Position, size: number, limit: TimeLimit) {
    const bucket = this.#keys.buckets[from.bucket] ?? ''
    const input = { keys: [bucket], args: [from.deadline, from.key, String(size)] } as const
    const flat = asTexts(await this.#commands.script(PAGE, input, { limit, isRepeatable: true }))
    const keys = flat.filter((_, i) => i % 2 === 0)
    const isWhole = keys.length < size
    const next = isWhole
      ? { bucket: from.bucket + 1, deadline: '', key: '' }
      : { bucket: from.bucket, deadline: flat.at(-1) ?? '', key: flat.at(-2) ?? '' }
    return { keys, next }
  }

  async #read(keys: readonly string[], limit: TimeLimit): Promise<readonly RedisRow[]> {
    const rows = await Promise.all(keys.map((key) => readRowColumns(this.#commands, this.#keys, { key, limit })))
    return rows.filter((row) => row !== undefined)
  }

  #countDue(now: number, limit: TimeLimit): Promise<readonly number[]> {
    return Promise.all(
      this.#keys.buckets.map(async (bucket) =>
        Number(await this.#commands.run(['ZCOUNT', bucket, '-inf', String(now)], { limit, isRepeatable: true })),
      ),
    )
  }

  async #sweepBucket(
    bucket: string,
    { now, most, limit }: { readonly now: number; readonly most: number; readonly limit: TimeLimit },
  ): Promise<number> {
    const range = ['ZRANGE', bucket, '-inf', String(now), 'BYSCORE', 'LIMIT', '0', String(most)] as const
    const keys = asTexts(await this.#commands.run(range, { limit, isRepeatable: true }))
    const results = await Promise.all(
      keys.map(async (key) => {
        const input = { keys: [this.#keys.row(key)], args: [String(now)] } as const
        return Number(await this.#commands.script(DELETE, input, { limit }))
      }),
    )
    const gone = keys.filter((_, i) => results[i] !== -1)
    if (gone.length > 0) await this.#commands.run(['ZREM', bucket, ...gone], { limit, isRepeatable: true })
    return results.filter((result) => result === 1).length
  }
}

/** The plain columns of a row, `undefined` where there is none. */
export async function readRowColumns(
  commands: RedisCommands,
  keys: RedisKeys,
  { key, limit }: { readonly key: string; readonly limit: TimeLimit },
): Promise<RedisRow | undefined> {
  const values = await commands.run(['HMGET', keys.row(key), ...ROW_FIELDS], { limit, isRepeatable: true })
  return readColumns(key, values as readonly (string | null)[]) // what HMGET answers
}

function readCursor(cursor: string | null): Position {
  const [bucket = '0', deadline = '', key = ''] = cursor?.split(':') ?? []
  return { bucket: Number(bucket), deadline, key }
}

function asTexts(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : []
}
