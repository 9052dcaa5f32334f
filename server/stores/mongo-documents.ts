// A session as a document of MongoDB, and back. No value in a filter or a change is ever an object from outside.

import { randomBytes } from 'node:crypto'
import type { EndReason } from '../sessions/reasons.ts'
import type { EndedSession, SessionColumns, SessionRecord } from '../sessions/record.ts'

type Times = 'createdAt' | 'lastSeenAt' | 'idleExpiresAt' | 'expiresAt'
type NullableTimes = 'authTime' | 'validatedAt' | 'tokenExpiresAt'

/** Binary values go in and come back as Buffers. */
export interface SessionDocument
  extends
    Omit<SessionColumns, 'key' | Times | NullableTimes>,
    Readonly<Record<Times, Date>>,
    Readonly<Record<NullableTimes, Date | null>> {
  /** The key's bytes. */
  readonly _id: Buffer
  /** base64url of the name → sealed value: names may hold dots and dollars. */
  readonly fields: Readonly<Record<string, Buffer>>
  /** Random, of the last write but touch: tells whether a write whose answer was lost was ours. */
  readonly writeId: string
  /** When MongoDB itself may delete it. */
  readonly deleteAt: Date
  readonly ended?: { readonly reason: EndReason; readonly at: Date }
  /** The row that took its place, where it ended as `rotated`. */
  readonly successor?: Buffer
  /** It takes the place of this row … */
  readonly replaces?: Buffer
  /** … and does not count until that row names it as its successor. */
  readonly pending?: true
}

/** Rows, claims, counters and epochs stay a day longer than they count, so that no difference of clocks deletes one too early. */
export const KEPT_MS = 24 * 60 * 60 * 1000

export function deleteAfter(time: number): Date {
  return new Date(time + KEPT_MS)
}

export function newWriteId(): string {
  return randomBytes(12).toString('base64url')
}

export function toId(key: string): Buffer {
  return Buffer.from(key)
}

export function idOf({ _id: id }: Pick<SessionDocument, '_id'>): Buffer {
  return id
}

/** Path of a field in the document. */
export function fieldPath(name: string): string {
  return `fields.${fieldKey(name)}`
}

/** Not ended and not timed out; it may still be pending. */
export function liveAt(now: number) {
  const time = new Date(now)
  return { ended: { $exists: false }, idleExpiresAt: { $gt: time }, expiresAt: { $gt: time } } as const
}

export const NOT_PENDING = { pending: { $exists: false } } as const

/** Makes a row an ended one: what it held is erased. */
export function endedBy(reason: EndReason, now: number, writeId: string) {
  return {
    $set: { ended: { reason, at: new Date(now) }, fields: {}, device: '', ip: '', writeId },
    $inc: { version: 1 },
  }
}

export function toDocument(record: SessionRecord, writeId: string): SessionDocument {
  const { key, fields, ...columns } = record
  return {
    ...columns,
    _id: toId(key),
    createdAt: new Date(record.createdAt),
    authTime: toDate(record.authTime),
    validatedAt: toDate(record.validatedAt),
    lastSeenAt: new Date(record.lastSeenAt),
    idleExpiresAt: new Date(record.idleExpiresAt),
    expiresAt: new Date(record.expiresAt),
    tokenExpiresAt: toDate(record.tokenExpiresAt),
    amr: [...record.amr],
    fields: Object.fromEntries(Array.from(fields, ([name, value]) => [fieldKey(name), Buffer.from(value)])),
    writeId,
    deleteAt: deleteAfter(record.expiresAt),
  }
}

export function toColumns(document: Omit<SessionDocument, 'fields'>): SessionColumns {
  return {
    key: idOf(document).toString(),
    handle: document.handle,
    userId: document.userId,
    collection: document.collection,
    createdAt: document.createdAt.getTime(),
    authTime: fromDate(document.authTime),
    validatedAt: fromDate(document.validatedAt),
    lastSeenAt: document.lastSeenAt.getTime(),
    idleExpiresAt: document.idleExpiresAt.getTime(),
    expiresAt: document.expiresAt.getTime(),
    tokenExpiresAt: fromDate(document.tokenExpiresAt),
    amr: document.amr,
    device: document.device,
    ip: document.ip,
    remembered: document.remembered,
    cookie: document.cookie,
    version: document.version,
  }
}

export function toRecord(document: SessionDocument): SessionRecord {
  const fields = Object.entries(document.fields).map(([key, value]) => [nameOfField(key), value] as const)
  return { ...toColumns(document), fields: new Map(fields) }
}

/** How the row was ended, if it was. */
export function toEnded({ ended, userId }: Omit<SessionDocument, 'fields'>): EndedSession | null {
  return ended === undefined ? null : { reason: ended.reason, endedAt: ended.at.getTime(), userId }
}

export function toDate(time: number | null): Date | null {
  return time === null ? null : new Date(time)
}

function fromDate(date: Date | null): number | null {
  return date === null ? null : date.getTime()
}

/** `=`, which base64url does not use, is the empty name. */
function fieldKey(name: string): string {
  return name === '' ? '=' : Buffer.from(name).toString('base64url')
}

function nameOfField(key: string): string {
  return Buffer.from(key, 'base64url').toString()
}
