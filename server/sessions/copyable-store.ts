// What a store also does so that its sessions can be moved to another one: it hands out everything that it holds as it is, and
// takes it in without ever bringing back what has ended.

import type { MaybePromise } from '../lib/maybe-promise.ts'
import type { EndedSession, SessionRecord } from './record.ts'
import type { Store } from './store.ts'

/** A thing that a store holds. Counters are left out: they start anew in another store. */
export type StoreEntry =
  /** A row, sealed fields and all. Of an ended one the fields are empty. */
  | { readonly kind: 'session'; readonly record: SessionRecord; readonly ended: EndedSession | null }
  /** The store's epoch. Comes first, so that it is never behind that of a user. */
  | { readonly kind: 'epoch'; readonly epoch: number }
  | { readonly kind: 'user-epoch'; readonly userId: string; readonly epoch: number; readonly notedAt: number }
  | { readonly kind: 'claim'; readonly name: string; readonly until: number }

export type SessionEntry = StoreEntry & { readonly kind: 'session' }

/** A page of an export. */
export interface EntryPage {
  readonly entries: readonly StoreEntry[]
  /** `null` after the last page. */
  readonly cursor: string | null
}

/**
 * Both calls are for a copy from one store to another (`pocketbase-session sessions copy`), which runs once while the servers
 * work and once more when they have stopped: the second run brings what the first has missed.
 */
export interface CopyableStore extends Store {
  /**
   * About `limit` entries, in an order of the store's own. What is there from the first page to the last is in one of them;
   * some may be in two.
   */
  exportEntries(cursor: string | null, limit: number): MaybePromise<EntryPage>
  /**
   * Writes sessions as they are, each in one atomic step: a new key; a live row over a live one that is older (by `version`, or the
   * same with earlier times); an ended row over a live one, which is erased. A row that has ended is never changed. Of epochs and
   * claims the larger value stays. Answers how many sessions it wrote.
   */
  importEntries(entries: readonly StoreEntry[], now: number): MaybePromise<number>
}

export function isCopyable(store: Store): store is CopyableStore {
  const { exportEntries, importEntries } = store as Partial<CopyableStore>
  return typeof exportEntries === 'function' && typeof importEntries === 'function'
}

/** Whether a row that comes in is a later state of a live one that is there. */
export function isLater(
  incoming: SessionEntry,
  there: Pick<SessionRecord, 'version' | 'lastSeenAt' | 'idleExpiresAt'>,
): boolean {
  const { record, ended } = incoming
  if (ended !== null || record.version !== there.version) return ended !== null || record.version > there.version
  return record.lastSeenAt > there.lastSeenAt || record.idleExpiresAt > there.idleExpiresAt
}

/** The sessions among entries, each key once, in the order of their keys. */
export function sessionEntries(entries: readonly StoreEntry[]): readonly SessionEntry[] {
  const sessions = entries.filter((entry) => entry.kind === 'session')
  const byKey = new Map(sessions.map((entry) => [entry.record.key, entry]))
  return [...byKey.values()].toSorted((a, b) => (a.record.key < b.record.key ? -1 : 1))
}
