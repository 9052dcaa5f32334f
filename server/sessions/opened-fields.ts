// What has been opened of a session. Its next requests share it, so that nothing is decrypted or parsed twice.
// Each value counts only for the very bytes it was opened from: whatever the store answers is what is seen.

import type { SealKey } from '../lib/seal.ts'
import type { Secret } from './secrets.ts'

interface Opened<Value> {
  readonly envelope: Uint8Array
  readonly value: Value
}

export class OpenedFields<User> {
  readonly keys = new Map<Secret, SealKey>()
  /** The fields of a row whose secrets were last found to be configured. */
  checked: ReadonlyMap<string, Uint8Array> | null = null
  readonly #texts = new Map<string, Opened<string>>()
  #user: Opened<User> | undefined

  text(field: string, envelope: Uint8Array): string | undefined {
    const opened = this.#texts.get(field)
    return opened?.envelope === envelope ? opened.value : undefined
  }

  keepText(field: string, envelope: Uint8Array, value: string): void {
    this.#texts.set(field, { envelope, value })
  }

  user(envelope: Uint8Array): User | undefined {
    return this.#user?.envelope === envelope ? this.#user.value : undefined
  }

  keepUser(envelope: Uint8Array, value: User): void {
    this.#user = { envelope, value }
  }
}
