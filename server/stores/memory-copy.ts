// Copying sessions out of and into memory.

import { isLater, sessionEntries, type StoreEntry } from '../sessions/copyable-store.ts'
import { epochPage, sectionPage, type Section } from './export-sections.ts'
import { deleteRow, endRow, insertRow, type MemoryData } from './memory-data.ts'

export function memorySections(data: MemoryData): readonly Section[] {
  return [
    () => epochPage(data.epoch),
    (after, limit) =>
      sectionPage(next(data.rows, after, limit), limit, ([at, row]) => ({ at, entry: { kind: 'session', ...row } })),
    (after, limit) =>
      sectionPage(next(data.epochs, after, limit), limit, ([at, epoch]) => ({
        at,
        entry: { kind: 'user-epoch', userId: at, ...epoch },
      })),
    (after, limit) =>
      sectionPage(next(data.claims, after, limit), limit, ([at, until]) => ({
        at,
        entry: { kind: 'claim', name: at, until },
      })),
  ]
}

/** Answers how many sessions it wrote. */
export function importIntoMemory(data: MemoryData, entries: readonly StoreEntry[]): number {
  for (const entry of entries) takeLarger(data, entry)
  let written = 0
  for (const entry of sessionEntries(entries)) {
    const { record, ended } = entry
    const there = data.rows.get(record.key)
    if (there && (there.ended || !isLater(entry, there.record))) continue
    if (there) deleteRow(data, there.record)
    insertRow(data, record)
    if (ended) endRow(data, { ...record, version: record.version - 1 }, ended) // which counts as a write
    written += 1
  }
  return written
}

function takeLarger(data: MemoryData, entry: StoreEntry): void {
  if (entry.kind === 'epoch') data.epoch = Math.max(data.epoch, entry.epoch)
  if (entry.kind === 'claim') data.claims.set(entry.name, Math.max(data.claims.get(entry.name) ?? 0, entry.until))
  if (entry.kind !== 'user-epoch') return
  const there = data.epochs.get(entry.userId) ?? { epoch: 0, notedAt: 0 }
  const epoch = Math.max(there.epoch, entry.epoch)
  data.epochs.set(entry.userId, { epoch, notedAt: Math.max(there.notedAt, entry.notedAt) })
}

function next<T>(map: ReadonlyMap<string, T>, after: string, limit: number): readonly (readonly [string, T])[] {
  const keys = [...map].filter(([key]) => key > after)
  return keys.toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit)
}
