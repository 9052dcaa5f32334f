// The names of the store's keys. What stands in braces is the hash tag: keys with the same one share a slot of a cluster.

import { createHash } from 'node:crypto'

/** The sets by expiry: as many as characters that a session's key may begin with. */
const BUCKETS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_']

export class RedisKeys {
  readonly #prefix: string
  /** Sets of all rows by their absolute deadline, spread over the nodes of a cluster. */
  readonly buckets: readonly string[]
  readonly epoch: string

  constructor(prefix: string) {
    this.#prefix = prefix
    this.buckets = BUCKETS.map((first) => `${prefix}{x:${first}}`)
    this.epoch = `${prefix}epoch`
  }

  /** A row and its successor have the same tag, the first three characters. */
  row(key: string): string {
    return `${this.#prefix}{${key.slice(0, 3)}}s:${key}`
  }

  /** The session's key in the name of its row. */
  keyOfRow(name: string): string {
    const mark = '}s:'
    return name.slice(name.indexOf(mark, this.#prefix.length) + mark.length)
  }

  bucket(key: string): string {
    return `${this.#prefix}{x:${key.slice(0, 1)}}`
  }

  /** The set of a user's rows by their absolute deadline. */
  userRows(userId: string): string {
    return `${this.#user(userId)}rows`
  }

  userEpoch(userId: string): string {
    return `${this.#user(userId)}epoch`
  }

  claim(name: string): string {
    return `${this.#prefix}claim:${name}`
  }

  nameOfClaim(key: string): string {
    return key.slice(this.claim('').length)
  }

  /** Patterns of SCAN. */
  get allUserEpochs(): string {
    return `${inPattern(this.#prefix)}{u:*}epoch`
  }

  get allClaims(): string {
    return `${inPattern(this.claim(''))}*`
  }

  counter(name: string): string {
    return `${this.#prefix}count:${name}`
  }

  /** Hashed: a user's id may hold braces. */
  #user(userId: string): string {
    return `${this.#prefix}{u:${createHash('sha256').update(userId).digest('base64url')}}`
  }
}

/** A prefix may hold what means something in a pattern. */
function inPattern(text: string): string {
  return text.replaceAll(/[*?[\]\\^-]/g, String.raw`\$&`)
}
