// An update → the one change to a document that makes it.

import type { SessionUpdate } from '../sessions/store.ts'
import { MUTABLE_COLUMNS } from './merge-columns.ts'
import { fieldPath } from './mongo-documents.ts'

const TIMES: readonly string[] = ['authTime', 'validatedAt', 'lastSeenAt', 'idleExpiresAt', 'tokenExpiresAt']

/** Fields that are set and removed at once are set. */
export function toChange({ set = new Map(), unset = [], columns = {} }: SessionUpdate, writeId: string) {
  const setFields = Array.from(set, ([name, value]) => [fieldPath(name), Buffer.from(value)] as const)
  const setColumns = MUTABLE_COLUMNS.flatMap((name) => {
    const value = columns[name]
    if (value === undefined) return []
    return [[name, TIMES.includes(name) && typeof value === 'number' ? new Date(value) : value] as const]
  })
  const removed = unset.filter((name) => !set.has(name)).map((name) => [fieldPath(name), ''] as const)
  return {
    $set: { ...Object.fromEntries<unknown>([...setColumns, ...setFields]), writeId },
    $inc: { version: 1 },
    ...(removed.length === 0 ? {} : { $unset: Object.fromEntries(removed) }),
  }
}
