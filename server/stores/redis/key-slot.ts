// The slot of a key in a Redis Cluster: CRC16 (XMODEM) of the key's hash tag, modulo 16384 (Redis Cluster specification).

const SLOTS = 16_384
const POLYNOMIAL = 0x10_21

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 0x80_00 ? (crc << 1) ^ POLYNOMIAL : crc << 1
  return crc
})

/** Keys with the same text between their first braces share a slot. */
export function keySlot(key: string): number {
  const tag = /^[^{]*\{([^}]+)\}/.exec(key)?.[1] ?? key
  let crc = 0
  for (const byte of Buffer.from(tag)) crc = ((crc << 8) ^ (TABLE[((crc >> 8) ^ byte) & 0xff] ?? 0)) & 0xff_ff
  return crc % SLOTS
}
