// Everything of one store → another one, page by page.

import type { CopyableStore, StoreEntry } from './copyable-store.ts'

export interface Copied {
  /** Sessions that were read, live and ended. */
  readonly sessions: number
  /** Of these, the ended ones. */
  readonly ended: number
  /** Sessions that were written: new to the target, or a later state than it had. */
  readonly written: number
}

export interface CopyOptions {
  readonly now: () => number
  /** Entries read at a time. Default 100: rows are small, but some hold half a megabyte. */
  readonly pageSize?: number
  /** Told after each page. */
  readonly progress?: (copied: Copied) => void
}

/**
 * Copies rows as they are, epochs and claims. What has ended in the target stays ended; what has ended in `from` ends there.
 * May run as often as one likes.
 * @throws whatever a store throws; what was written by then stays, and a further run goes on
 */
export async function copySessions(from: CopyableStore, to: CopyableStore, options: CopyOptions): Promise<Copied> {
  let copied: Copied = { sessions: 0, ended: 0, written: 0 }
  let cursor: string | null = null
  do {
    const page = await from.exportEntries(cursor, options.pageSize ?? 100)
    const written = page.entries.length === 0 ? 0 : await to.importEntries(page.entries, options.now())
    copied = {
      sessions: copied.sessions + count(page.entries, ({ kind }) => kind === 'session'),
      ended: copied.ended + count(page.entries, (entry) => entry.kind === 'session' && entry.ended !== null),
      written: copied.written + written,
    }
    options.progress?.(copied)
    cursor = page.cursor
  } while (cursor !== null)
  return copied
}

/**
 * Whether two stores are one place under two addresses: what one claims the other finds taken.
 * @param name never used before
 */
export async function isSamePlace(a: CopyableStore, b: CopyableStore, name: string, now: number): Promise<boolean> {
  const until = now + PROBE_MS
  await a.claim(name, until, now)
  const isFree = await b.claim(name, until, now)
  await a.release(name)
  await b.release(name)
  return !isFree
}

const PROBE_MS = 60_000

function count(entries: readonly StoreEntry[], isOne: (entry: StoreEntry) => boolean): number {
  return entries.filter(isOne).length
}
