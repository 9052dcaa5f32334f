// Authenticated encryption in a versioned envelope: [version 1][key id 4][iv 12][tag 16][ciphertext].

import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto'

/** A 32-byte AES key and the 4 bytes that name it in an envelope. Node takes ten times longer to use plain bytes as a key. */
export interface SealKey {
  readonly id: Buffer
  readonly key: KeyObject
}

const VERSION = 1
const KEY_ID = 1
const IV = KEY_ID + 4
const TAG = IV + 12
const CIPHERTEXT = TAG + 16
/** Without it Node accepts a shortened tag, which is easier to forge. */
const OPTIONS = { authTagLength: 16 } as const

/** Encrypts `text`; `context` must be given again to open it (additional data). */
export function seal(key: SealKey, text: string, context: string): Buffer {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key.key, iv, OPTIONS).setAAD(Buffer.from(context))
  const head = Buffer.allocUnsafe(CIPHERTEXT)
  const body = [cipher.update(text, 'utf8'), cipher.final()]
  head[0] = VERSION
  key.id.copy(head, KEY_ID)
  iv.copy(head, IV)
  cipher.getAuthTag().copy(head, TAG)
  return Buffer.concat([head, ...body])
}

/** Opens an envelope. Answers `null` where key, context or bytes are not the ones it was sealed with. */
export function unseal(key: SealKey, envelope: Uint8Array, context: string): string | null {
  const bytes = asBuffer(envelope)
  if (bytes.length < CIPHERTEXT || bytes[0] !== VERSION) return null
  const decipher = createDecipheriv('aes-256-gcm', key.key, bytes.subarray(IV, TAG), OPTIONS)
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(TAG, CIPHERTEXT))
  try {
    return decipher.update(bytes.subarray(CIPHERTEXT), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return null // the tag does not fit: not an error but the answer
  }
}

/** Whether an envelope names this key. */
export function isSealedWith(key: Pick<SealKey, 'id'>, envelope: Uint8Array): boolean {
  return envelope[0] === VERSION && key.id.every((byte, i) => byte === envelope[KEY_ID + i])
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
