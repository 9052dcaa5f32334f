// A live session in the hands of a request: the record, and the key that opens its fields.

import { inspect } from 'node:util'
import { seal, unseal, type SealKey } from '../lib/seal.ts'
import { OpenedFields } from './opened-fields.ts'
import type { MutableColumns, SessionRecord } from './record.ts'
import { fieldKey, type Secret, type Secrets } from './secrets.ts'

/** Prefix of the fields that hold the top-level fields of `req.session`. */
const DATA = 'data:'

/** A sealed field that does not open: tampered with, or moved from another row or field. */
export class SealBrokenError extends Error {
  override readonly name = 'SealBrokenError'
  readonly field: string
  constructor(field: string) {
    super('A field of the session could not be opened.')
    this.field = field
  }
}

/** User record as it was sealed; the caller knows its shape. */
export type SealedUser = Readonly<Record<string, unknown>> & { readonly id: string }

export class LiveSession {
  /** The cookie's id: whoever has it has the session. Never logged, never serialised. */
  readonly #id: string
  readonly #secrets: Secrets
  readonly #opened: OpenedFields<SealedUser>
  #record: SessionRecord

  /** `opened`: what other requests have opened of the same session. */
  constructor(id: string, record: SessionRecord, secrets: Secrets, opened = new OpenedFields<SealedUser>()) {
    this.#id = id
    this.#record = record
    this.#secrets = secrets
    this.#opened = opened
  }

  get id(): string {
    return this.#id
  }

  get record(): SessionRecord {
    return this.#record
  }

  /** The user record of a signed-in session, frozen; `null` before login. @throws SealBrokenError */
  user<User extends SealedUser = SealedUser>(): User | null {
    const envelope = this.#record.fields.get('user')
    if (envelope === undefined) return null
    const known = this.#opened.user(envelope)
    if (known !== undefined) return known as User
    const user = deepFreeze(this.read('user') as User) // what was sealed under this name is a user record
    this.#opened.keepUser(envelope, user)
    return user
  }

  /** The PocketBase token, `null` before login. @throws SealBrokenError */
  token(): string | null {
    const token = this.read('token')
    return typeof token === 'string' ? token : null
  }

  /** The top-level fields of `req.session`, opened. Without a prototype: a field may have any name. @throws SealBrokenError */
  data(): Record<string, unknown> {
    const data = Object.create(null) as Record<string, unknown>
    for (const name of this.#record.fields.keys()) {
      if (name.startsWith(DATA)) data[name.slice(DATA.length)] = this.read(name)
    }
    return data
  }

  /** One field, opened; `undefined` where there is none. @throws SealBrokenError */
  read(field: string): unknown {
    const envelope = this.#record.fields.get(field)
    if (envelope === undefined) return undefined
    return JSON.parse(this.#opened.text(field, envelope) ?? this.#unseal(field, envelope))
  }

  /** Seals values for this session's row. `undefined` values are left out, as JSON does. */
  seal(values: Readonly<Record<string, unknown>>): Map<string, Buffer> {
    const key = this.#key(this.#secrets.newest)
    const sealed = new Map<string, Buffer>()
    for (const [field, value] of Object.entries(values)) {
      const text: string | undefined = JSON.stringify(value)
      if (text === undefined) continue
      const envelope = seal(key, text, this.#context(field))
      sealed.set(field, envelope)
      this.#keep(field, envelope, text)
    }
    return sealed
  }

  /** Fields that are not sealed under the newest secret. */
  outdatedFields(): string[] {
    return [...this.#record.fields]
      .filter(([, bytes]) => this.#secrets.of(bytes) !== this.#secrets.newest)
      .map(([name]) => name)
  }

  /** Whether a field was sealed under a secret that is no longer configured. */
  hasRetiredSecret(): boolean {
    const { fields } = this.#record
    if (this.#opened.checked === fields) return false
    for (const envelope of fields.values()) if (this.#secrets.of(envelope) === undefined) return true
    this.#opened.checked = fields
    return false
  }

  /** Notes what a write of this request has changed in the store. */
  wrote(change: {
    readonly set?: ReadonlyMap<string, Uint8Array>
    readonly unset?: readonly string[]
    readonly columns?: Partial<MutableColumns>
    readonly version: number
  }): void {
    const fields = new Map(this.#record.fields)
    for (const name of change.unset ?? []) fields.delete(name)
    for (const [name, value] of change.set ?? []) fields.set(name, value)
    // A gap means that somebody else has written too: the old version stays, so that a replace conflicts and reads again.
    const { version } = this.#record
    const next = change.version === version + 1 ? change.version : version
    this.#record = { ...this.#record, ...change.columns, fields, version: next }
  }

  /** Takes over what another reading of the same row has seen and written. */
  follow(other: LiveSession): void {
    this.#record = other.#record
  }

  /** Notes a touch that is on its way to the store. */
  touched(lastSeenAt: number, idleExpiresAt: number): void {
    this.#record = { ...this.#record, lastSeenAt, idleExpiresAt }
  }

  /** Only the public handle ever reaches a log. */
  toJSON(): object {
    return { handle: this.#record.handle }
  }

  [inspect.custom](): string {
    return `LiveSession { handle: '${this.#record.handle}' }`
  }

  #unseal(field: string, envelope: Uint8Array): string {
    const secret = this.#secrets.of(envelope)
    const text = secret === undefined ? null : unseal(this.#key(secret), envelope, this.#context(field))
    if (text === null) throw new SealBrokenError(field)
    this.#keep(field, envelope, text)
    return text
  }

  /** The user is kept as an object, and the token is rarely asked for. */
  #keep(field: string, envelope: Uint8Array, text: string): void {
    if (field.startsWith(DATA)) this.#opened.keepText(field, envelope, text)
  }

  #key(secret: Secret): SealKey {
    const known = this.#opened.keys.get(secret)
    if (known !== undefined) return known
    const key = fieldKey(secret, this.#id)
    this.#opened.keys.set(secret, key)
    return key
  }

  /** Bound to row, user and name: a value cannot be moved to another row or field. */
  #context(field: string): string {
    return JSON.stringify([this.#record.key, this.#record.userId, field])
  }
}

/** Name of the sealed field for a top-level field of `req.session`. */
export function dataField(name: string): string {
  return DATA + name
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
