// The configured secrets, newest first, and what is derived from each.

import { createSecretKey } from 'node:crypto'
import { deriveKey } from '../lib/keyed-mac.ts'
import { isSealedWith, type SealKey } from '../lib/seal.ts'

export interface Secret {
  /** Signs the cookie, as express-session does. */
  readonly text: string
  /** Names the secret in sealed fields; says nothing about it. */
  readonly id: Buffer
}

export class Secrets {
  readonly all: readonly Secret[]
  readonly newest: Secret

  constructor(texts: readonly string[]) {
    this.all = texts.map((text) => ({ text, id: deriveKey(text, 'pocketbase-session/secret-id').subarray(0, 4) }))
    const newest = this.all[0]
    if (newest === undefined) throw new TypeError('at least one secret is needed')
    this.newest = newest
  }

  /** The secret under which an envelope was sealed. */
  of(envelope: Uint8Array): Secret | undefined {
    return this.all.find((secret) => isSealedWith(secret, envelope))
  }
}

/** The key for the fields of one session. It needs the cookie's id too, so a stolen store opens nothing, even with the secret. */
export function fieldKey(secret: Secret, id: string): SealKey {
  return { id: secret.id, key: createSecretKey(deriveKey(secret.text, 'pocketbase-session/fields', id)) }
}
