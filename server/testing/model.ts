// The store contract as a pure function, one call after the other: what a store is compared with.

import type { SessionRecord } from '../sessions/record.ts'
import { sampleSession } from './sample-session.ts'

/** A call of a store. Keys, users and versions are small numbers, so that calls meet each other. */
export type Step =
  | { readonly kind: 'create'; readonly key: number; readonly user: number | null }
  | {
      readonly kind: 'update'
      readonly key: number
      readonly field: string
      readonly value: number | null
      readonly ifVersion: number | null
    }
  | { readonly kind: 'touch'; readonly key: number; readonly idleMs: number }
  | { readonly kind: 'replace'; readonly key: number; readonly next: number; readonly ifVersion: number | null }
  | { readonly kind: 'end'; readonly key: number }
  | { readonly kind: 'endByUser'; readonly user: number; readonly except: number | null }
  | { readonly kind: 'find'; readonly key: number }
  | { readonly kind: 'list'; readonly user: number }

export interface ModelRow {
  readonly user: number | null
  readonly version: number
  readonly lastSeenAt: number
  readonly idleExpiresAt: number
  readonly expiresAt: number
  readonly fields: Readonly<Record<string, number>>
  readonly reason: string | null
}

export interface Model {
  readonly rows: ReadonlyMap<number, ModelRow>
  /** How often all sessions of anybody were ended. */
  readonly epoch: number
  /** By user: the epoch, and when it was noted. */
  readonly epochs: ReadonlyMap<number, { readonly epoch: number; readonly notedAt: number }>
}

/** An answer in a form that can be compared as text. */
export type Answer = string

export const EMPTY_MODEL: Model = { rows: new Map(), epoch: 0, epochs: new Map() }

type Lifetime = Pick<SessionRecord, 'lastSeenAt' | 'idleExpiresAt' | 'expiresAt'>

/** What the store must hold and answer after one more call. */
export function applyStep(model: Model, step: Step, now: number): readonly [Model, Answer] {
  switch (step.kind) {
    case 'create':
      if (model.rows.has(step.key)) return [model, 'refused']
      return [put(model, step.key, newRow(step.user, sampleSession(now))), 'created']
    case 'update':
      return applyUpdate(model, step, now)
    case 'touch': {
      const row = liveRow(model, step.key, now)
      if (row === undefined) return [model, 'touched']
      const idleExpiresAt = Math.max(row.idleExpiresAt, now + step.idleMs)
      return [put(model, step.key, { ...row, lastSeenAt: Math.max(row.lastSeenAt, now), idleExpiresAt }), 'touched']
    }
    case 'replace':
      return applyReplace(model, step, now)
    case 'end': {
      const row = liveRow(model, step.key, now)
      return row === undefined ? [model, '0'] : [put(model, step.key, ended(row, 'logout')), '1']
    }
    case 'endByUser':
      return applyEndByUser(model, step, now)
    case 'find':
      return [model, describeFound(model.rows.get(step.key), now)]
    case 'list':
      return [model, keysOf(model, step.user, now).join()]
  }
}

/** A row as text: the same for a model's row and a store's. */
export function describeLive(row: Pick<ModelRow, 'version' | 'lastSeenAt' | 'idleExpiresAt' | 'fields'>): Answer {
  const fields = Object.entries(row.fields).map(([name, value]) => `${name}=${value}`)
  return `v${row.version} seen ${row.lastSeenAt} idle ${row.idleExpiresAt} ${fields.toSorted().join()}`
}

/** Everything that can be seen of a model, as text. */
export function describeModel(model: Model, now: number): Answer {
  const rows = [...model.rows].toSorted(([a], [b]) => a - b)
  return rows.map(([key, row]) => `${key}: ${describeFound(row, now)}`).join('\n')
}

function describeFound(row: ModelRow | undefined, now: number): Answer {
  if (row === undefined) return 'none'
  if (row.reason !== null) return `ended ${row.reason}`
  return isLive(row, now)
    ? describeLive(row)
    : `ended ${row.idleExpiresAt < row.expiresAt ? 'idle' : 'absolute'}_timeout`
}

function applyUpdate(model: Model, step: Step & { kind: 'update' }, now: number): readonly [Model, Answer] {
  const row = liveRow(model, step.key, now)
  if (row === undefined) return [model, 'gone']
  if (step.ifVersion !== null && step.ifVersion !== row.version) return [model, 'conflict']
  const { [step.field]: _, ...others } = row.fields
  const fields = step.value === null ? others : { ...others, [step.field]: step.value }
  return [put(model, step.key, { ...row, fields, version: row.version + 1 }), String(row.version + 1)]
}

function applyReplace(model: Model, step: Step & { kind: 'replace' }, now: number): readonly [Model, Answer] {
  const row = liveRow(model, step.key, now)
  if (row === undefined) return [model, 'gone']
  if (step.ifVersion !== null && step.ifVersion !== row.version) return [model, 'conflict']
  if (model.rows.has(step.next)) return [model, 'refused']
  const next = newRow(row.user, sampleSession(now))
  return [put(put(model, step.key, ended(row, 'rotated')), step.next, next), 'replaced']
}

function applyEndByUser(model: Model, step: Step & { kind: 'endByUser' }, now: number): readonly [Model, Answer] {
  const epoch = model.epoch + 1
  const keys = keysOf(model, step.user, now).filter((key) => key !== step.except)
  const epochs = new Map(model.epochs).set(step.user, { epoch, notedAt: now })
  const noted: Model = { ...model, epoch, epochs }
  const after = keys.reduce((state, key) => applyEnd(state, key, now), noted)
  return [after, String(keys.length)]
}

function applyEnd(model: Model, key: number, now: number): Model {
  const row = liveRow(model, key, now)
  return row === undefined ? model : put(model, key, ended(row, 'logout_everywhere'))
}

function keysOf(model: Model, user: number, now: number): readonly number[] {
  const mine = [...model.rows].filter(([, row]) => row.user === user && row.reason === null && isLive(row, now))
  return mine.map(([key]) => key).toSorted((a, b) => a - b)
}

function liveRow(model: Model, key: number, now: number): ModelRow | undefined {
  const row = model.rows.get(key)
  return row !== undefined && row.reason === null && isLive(row, now) ? row : undefined
}

function isLive(row: Lifetime, now: number): boolean {
  return row.idleExpiresAt > now && row.expiresAt > now
}

function newRow(user: number | null, { lastSeenAt, idleExpiresAt, expiresAt }: Lifetime): ModelRow {
  return { user, version: 1, lastSeenAt, idleExpiresAt, expiresAt, fields: {}, reason: null }
}

function ended(row: ModelRow, reason: string): ModelRow {
  return { ...row, fields: {}, reason }
}

function put(model: Model, key: number, row: ModelRow): Model {
  return { ...model, rows: new Map(model.rows).set(key, row) }
}
