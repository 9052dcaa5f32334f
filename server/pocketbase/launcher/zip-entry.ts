// Takes one named file out of a zip archive. Nothing else in the archive is written anywhere, whatever its path says.

import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { fromBufferPromise } from 'yauzl'

/** The executable has 45 MB; more than this is not it. */
const MAX_BYTES = 200 * 1024 * 1024

/** Writes the entry that is called exactly `name` to `target`, which must not exist. */
export async function extractEntry(archive: Buffer, name: string, target: string): Promise<void> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true })
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== name) continue
    if (entry.uncompressedSize > MAX_BYTES) throw new Error(`${name} in the archive is too large`)
    // yauzl checks the size and the checksum while it reads.
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flags: 'wx', mode: 0o700 }))
    return
  }
  throw new Error(`the archive holds no ${name}`)
}
