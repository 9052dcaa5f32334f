// Looks for bytes in a dump, also as the text that stores write bytes in.

/** Whether `dump` holds `value` as it is, or as base64, base64url or hex. */
export function holds(dump: Uint8Array, value: Uint8Array | string): boolean {
  const haystack = Buffer.from(dump.buffer, dump.byteOffset, dump.byteLength)
  const needle = Buffer.from(value)
  return (
    haystack.includes(needle) ||
    haystack.includes(needle.toString('hex')) ||
    [0, 1, 2].some((shift) => holdsBase64(haystack, needle.subarray(shift)))
  )
}

/** Inside a longer base64 text the value begins at one of three shifts, and its last characters depend on what follows. */
function holdsBase64(haystack: Buffer, needle: Buffer): boolean {
  const whole = needle.subarray(0, needle.length - (needle.length % 3))
  return whole.length > 5 && (['base64', 'base64url'] as const).some((form) => haystack.includes(whole.toString(form)))
}
