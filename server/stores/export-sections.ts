// An export that walks through several lists, one after the other. Its cursor says in which list it is, and after what.

import { andThen, type MaybePromise } from '../lib/maybe-promise.ts'
import type { EntryPage, StoreEntry } from '../sessions/copyable-store.ts'

export interface SectionPage {
  readonly entries: readonly StoreEntry[]
  /** Where the list goes on; `null` at its end. */
  readonly last: string | null
}

/** @param after '' for the beginning, else the `last` of the page before */
export type Section = (after: string, limit: number) => MaybePromise<SectionPage>

/** One page of one list. */
export function exportSections(
  sections: readonly Section[],
  cursor: string | null,
  limit: number,
): MaybePromise<EntryPage> {
  const [, index = '0', after = ''] = /^(\d+):(.*)$/s.exec(cursor ?? '') ?? []
  const section = Number(index)
  const page = sections[section]?.(after, limit) ?? { entries: [], last: null }
  return andThen(page, ({ entries, last }) => {
    if (last !== null) return { entries, cursor: `${section}:${last}` }
    return { entries, cursor: section + 1 < sections.length ? `${section + 1}:` : null }
  })
}

/** A page of a list whose entries are in the order of a text. */
export function sectionPage<Row>(
  rows: readonly Row[],
  limit: number,
  toEntry: (row: Row) => { readonly at: string; readonly entry: StoreEntry },
): SectionPage {
  const listed = rows.map(toEntry)
  return {
    entries: listed.map(({ entry }) => entry),
    last: rows.length < limit ? null : (listed.at(-1)?.at ?? null),
  }
}

/** The cursor of the first page: the store's epoch alone. */
export function epochPage(epoch: number): SectionPage {
  return { entries: [{ kind: 'epoch', epoch }], last: null }
}
