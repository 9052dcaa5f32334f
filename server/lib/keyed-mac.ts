// Keys derived from a secret, and message authentication with them.

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** A 32-byte key for one purpose (HKDF-SHA256, RFC 5869). Another `purpose` or `salt` gives an unrelated key. */
export function deriveKey(secret: string, purpose: string, salt = ''): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32))
}

/** HMAC-SHA256 over the parts, each with its length in front so that no two lists of parts agree by accident. */
export function mac(key: Buffer, ...parts: readonly string[]): Buffer {
  const hmac = createHmac('sha256', key)
  for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:${part}`)
  return hmac.digest()
}

/** Compares in constant time; values of different length are different. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b)
}
