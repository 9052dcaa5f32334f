// Hides a value that stays the same behind random bytes, so that compressed pages do not give it away
// byte by byte (BREACH).

import { randomBytes } from 'node:crypto'

/** Random bytes, and `bytes` under them; base64url. Another text each time. */
export function mask(bytes: Uint8Array): string {
  const pad = randomBytes(bytes.length)
  return Buffer.concat([pad, xor(pad, bytes)]).toString('base64url')
}

/** The value under the mask; `null` where `text` is not one of `length` bytes in the spelling that `mask` gives. */
export function unmask(text: string, length: number): Buffer | null {
  if (text.length !== Math.ceil((length * 2 * 4) / 3) || !/^[\w-]+$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64url')
  return xor(bytes.subarray(0, length), bytes.subarray(length))
}

function xor(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)))
}
