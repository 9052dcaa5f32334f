// All fields of a row in one blob: [1] and, field by field, [name length u16][name][value length u32][value].
// One blob is one column to read; JSON would make the sealed bytes a third longer.

type Fields = ReadonlyMap<string, Uint8Array>

const FORMAT = 1
const NAME_HEAD = 2
const VALUE_HEAD = 4
const MAX_NAME_BYTES = 0xff_ff

/** @throws RangeError for a name of more than 65535 bytes. */
export function packFields(fields: Fields): Uint8Array {
  const packed = Buffer.allocUnsafe(packedSize(fields))
  let at = packed.writeUInt8(FORMAT)
  for (const [name, value] of fields) {
    at = packed.writeUInt16LE(Buffer.byteLength(name), at)
    at += packed.write(name, at)
    at = packed.writeUInt32LE(value.length, at)
    packed.set(value, at)
    at += value.length
  }
  return packed
}

/** The values are views into `packed`, not copies. @throws where it is not what `packFields` made. */
export function unpackFields(packed: Uint8Array): Fields {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  if (bytes[0] !== FORMAT) throw new Error('The fields of a session row have an unknown format.')
  const fields = new Map<string, Uint8Array>()
  let at = 1
  while (at < bytes.length) {
    const nameAt = at + NAME_HEAD
    const valueHeadAt = nameAt + bytes.readUInt16LE(at)
    const valueAt = valueHeadAt + VALUE_HEAD
    at = valueAt + bytes.readUInt32LE(valueHeadAt)
    if (at > bytes.length) throw new Error('The fields of a session row are cut off.')
    fields.set(bytes.toString('utf8', nameAt, valueHeadAt), bytes.subarray(valueAt, at))
  }
  return fields
}

function packedSize(fields: Fields): number {
  let size = 1
  for (const [name, value] of fields) {
    const nameBytes = Buffer.byteLength(name)
    if (nameBytes > MAX_NAME_BYTES) throw new RangeError('The name of a session field is too long.')
    size += NAME_HEAD + nameBytes + VALUE_HEAD + value.length
  }
  return size
}
