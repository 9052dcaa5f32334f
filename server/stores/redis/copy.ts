// Copying sessions out of and into Redis.

import { sessionEntries, type SessionEntry, type StoreEntry } from '../../sessions/copyable-store.ts'
import { epochPage, type Section, type SectionPage } from '../export-sections.ts'
import { newWriteId, type RedisCommands } from './commands.ts'
import type { ExpiryIndex } from './expiry-index.ts'
import type { RedisKeys } from './keys.ts'
import type { RedisLink } from './link.ts'
import { readRow, writeRow, type RedisRow } from './rows.ts'
import { IMPORT, IMPORT_CLAIM, RAISE_EPOCH } from './scripts.ts'
import type { TimeLimit } from './time-limit.ts'
import { claimToLive, rowToLive } from './time-to-live.ts'
import type { UserSessions } from './user-sessions.ts'

export interface RedisCopyParts {
  readonly link: RedisLink
  readonly commands: RedisCommands
  readonly keys: RedisKeys
  readonly users: UserSessions
  readonly expiry: ExpiryIndex
}

const READ = { isRepeatable: true }

export class RedisCopy {
  readonly #parts: RedisCopyParts
  readonly #limit: () => TimeLimit

  /** @param limit the time that a call has from now on */
  constructor(parts: RedisCopyParts, limit: () => TimeLimit) {
    this.#parts = parts
    this.#limit = limit
  }

  sections(): readonly Section[] {
    const { users, keys } = this.#parts
    return [
      async () => epochPage(await users.epoch(undefined, this.#limit())),
      (after, size) => this.#rowsAfter(after, size),
      (after, size) => this.#scan(keys.allUserEpochs, { after, size }, (key, limit) => this.#readEpoch(key, limit)),
      (after, size) => this.#scan(keys.allClaims, { after, size }, (key, limit) => this.#readClaim(key, limit)),
    ]
  }

  /** Answers how many sessions it wrote. */
  async importEntries(entries: readonly StoreEntry[], now: number): Promise<number> {
    for (const entry of entries) {
      if (entry.kind === 'epoch') await this.#raiseEpoch(entry.epoch)
      if (entry.kind === 'user-epoch') await this.#parts.users.noteEpoch(entry, this.#limit())
      if (entry.kind === 'claim') await this.#importClaim(entry.name, entry.until, now)
    }
    const limit = this.#limit()
    const written = await Promise.all(sessionEntries(entries).map((entry) => this.#importSession(entry, limit)))
    return written.filter(Boolean).length
  }

  async #raiseEpoch(epoch: number): Promise<void> {
    const { commands, keys } = this.#parts
    await commands.script(RAISE_EPOCH, { keys: [keys.epoch], args: [String(epoch)] }, this.#durably())
  }

  async #importClaim(name: string, until: number, now: number): Promise<void> {
    const { commands, keys } = this.#parts
    const args = [String(until), newWriteId(), String(claimToLive(until, now))]
    await commands.script(IMPORT_CLAIM, { keys: [keys.claim(name)], args }, this.#durably())
  }

  /** Answers whether it was written. Its entries are made before it, as when it is created. */
  async #importSession({ record, ended }: SessionEntry, limit: TimeLimit): Promise<boolean> {
    const { commands, keys, users, expiry } = this.#parts
    const ttlMs = rowToLive(record)
    const ofUser = ended === null ? [users.add(record, ttlMs, limit)] : []
    await Promise.all([...ofUser, expiry.add(record, limit)])
    const end = ended === null ? [] : ['reason', ended.reason, 'endedAt', String(ended.endedAt)]
    const args = [newWriteId(), String(ttlMs), ...writeRow(record), ...end]
    return (await commands.script(IMPORT, { keys: [keys.row(record.key)], args }, this.#durably(limit))) === 1
  }

  #durably(limit = this.#limit()) {
    return { limit, isDurable: true, isRepeatable: true }
  }

  async #rowsAfter(after: string, size: number): Promise<SectionPage> {
    const { expiry } = this.#parts
    const limit = this.#limit()
    const { keys, cursor } = await expiry.page(after === '' ? null : after, size, limit)
    const rows = await Promise.all(keys.map((key) => this.#readRow(key, limit)))
    const entries = rows.flatMap((row) => (row === undefined ? [] : [{ kind: 'session', ...row } as const]))
    return { entries, last: cursor }
  }

  async #readRow(key: string, limit: TimeLimit): Promise<RedisRow | undefined> {
    const { commands, keys } = this.#parts
    const flat = await commands.run(['HGETALL', keys.row(key)], { ...READ, limit, buffers: true })
    return readRow(key, flat as readonly Buffer[]) // what HGETALL answers with `buffers`
  }

  /** One step through the keys of one server. Their names are in no index: they are few, and Redis deletes them by itself. */
  async #scan(
    pattern: string,
    { after, size }: { readonly after: string; readonly size: number },
    read: (key: string, limit: TimeLimit) => Promise<StoreEntry | undefined>,
  ): Promise<SectionPage> {
    const limit = this.#limit()
    const servers = this.#parts.link.masters()
    const [server = '0', cursor = '0'] = after.split('/')
    const node = servers[Number(server)]
    if (node === undefined) return { entries: [], last: null }
    // Most of the keys that are looked at are those of sessions.
    const args = ['SCAN', cursor, 'MATCH', pattern, 'COUNT', String(10 * size)]
    const [next, names] = (await node.connection.send({ args }, limit)) as readonly [string, readonly string[]] // as SCAN answers
    const entries = await Promise.all(names.map((name) => read(name, limit)))
    const isLast = next === '0' && Number(server) + 1 >= servers.length
    const last = next === '0' ? `${Number(server) + 1}/0` : `${server}/${next}`
    return { entries: entries.filter((entry) => entry !== undefined), last: isLast ? null : last }
  }

  async #readEpoch(key: string, limit: TimeLimit): Promise<StoreEntry | undefined> {
    const [userId, epoch, notedAt] = await this.#readFields(key, ['userId', 'epoch', 'notedAt'], limit)
    if (userId === undefined) return undefined
    return { kind: 'user-epoch', userId, epoch: Number(epoch), notedAt: Number(notedAt) }
  }

  async #readClaim(key: string, limit: TimeLimit): Promise<StoreEntry | undefined> {
    const [until] = await this.#readFields(key, ['until'], limit)
    if (until === undefined) return undefined
    return { kind: 'claim', name: this.#parts.keys.nameOfClaim(key), until: Number(until) }
  }

  async #readFields(key: string, names: readonly string[], limit: TimeLimit): Promise<readonly (string | undefined)[]> {
    const values = await this.#parts.commands.run(['HMGET', key, ...names], { ...READ, limit })
    return (values as readonly (string | null)[]).map((value) => value ?? undefined) // what HMGET answers
  }
}
