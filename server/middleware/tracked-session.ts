// What is known of one `req.session` object: the row it stands for, and what that row holds.

import { Session } from 'express-session'
import { dataField, type LiveSession } from '../sessions/live-session.ts'

export interface TrackedSession {
  readonly id: string
  /** Its row; `null` until it is written for the first time. */
  live: LiveSession | null
  /** The session that it takes the place of (`regenerate`). */
  readonly replaces: LiveSession | null
  /** JSON of each field as the row has it. */
  saved: ReadonlyMap<string, string>
  /** The cookie's lifetime as the row has it. */
  lifetimeMs: number | null
  /** The write under way: one at a time, or two would create the row twice. */
  writing: Promise<unknown> | null
}

export interface FieldChanges {
  /** Values by sealed field. */
  readonly set: Readonly<Record<string, unknown>>
  readonly unset: readonly string[]
  readonly texts: ReadonlyMap<string, string>
}

/** The cookie recomputes its lifetime from the clock with each change, and drifts by a millisecond or two. */
const DRIFT_MS = 5
const NOTICEABLE_MS = 1000

/** What has to be written so that the row holds what the session holds. */
export function changesOf(session: object, saved: ReadonlyMap<string, string>): FieldChanges {
  const texts = fieldTexts(session)
  const set: Record<string, unknown> = {}
  for (const [name, text] of texts) if (saved.get(name) !== text) set[dataField(name)] = Reflect.get(session, name)
  const unset = [...saved.keys()].filter((name) => !texts.has(name)).map(dataField)
  return { set, unset, texts }
}

/** The same by the names of `req.session`, `undefined` for what has been removed. */
export function unsavedFields(session: object, saved: ReadonlyMap<string, string>): ReadonlyMap<string, unknown> {
  const texts = fieldTexts(session)
  const names = new Set([...texts.keys(), ...saved.keys()])
  const changed = [...names].filter((name) => texts.get(name) !== saved.get(name))
  return new Map(changed.map((name) => [name, texts.has(name) ? Reflect.get(session, name) : undefined]))
}

export function hasChanges({ set, unset }: FieldChanges): boolean {
  return unset.length > 0 || Object.keys(set).length > 0
}

/** JSON of each field that can be kept. What JSON leaves out (`undefined`, functions) is not kept, as in express-session. */
export function fieldTexts(session: object): Map<string, string> {
  const texts = new Map<string, string>()
  for (const name of Object.keys(session)) {
    // Names of the session's own members (`constructor`, `save`) are not put back by express-session either.
    if (name === 'cookie' || name in Session.prototype) continue
    const text: string | undefined = JSON.stringify(Reflect.get(session, name))
    if (text !== undefined) texts.set(name, text)
  }
  return texts
}

/** Lifetime that a handler has given to `req.session.cookie`; `null` for a browser-session cookie. */
export function lifetimeOf(session: object, otherwise: number | null): number | null {
  const cookie: unknown = Reflect.get(session, 'cookie')
  if (typeof cookie !== 'object' || cookie === null) return otherwise
  const maxAge: unknown = Reflect.get(cookie, 'originalMaxAge')
  if (typeof maxAge !== 'number' || Number.isNaN(maxAge)) return null
  const whole = Math.round(maxAge / 1000) * 1000
  return Math.max(0, Math.abs(whole - maxAge) <= DRIFT_MS ? whole : maxAge)
}

export function isOtherLifetime(a: number | null, b: number | null): boolean {
  return a === null || b === null ? a !== b : Math.abs(a - b) >= NOTICEABLE_MS
}
