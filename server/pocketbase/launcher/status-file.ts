// What runs on a data folder, for people and for other processes: `data/pocketbase.json`. Nothing secret.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePrivateFile } from './private-file.ts'

export interface EmbeddedStatus {
  /** The server that started PocketBase; null when it has stopped. */
  readonly pid: number | null
  readonly pocketbasePid: number | null
  readonly url: string
}

/** Who runs PocketBase on this data folder and where, or null where nobody has yet. */
export function readStatus(dataDir: string): EmbeddedStatus | null {
  try {
    const value: unknown = JSON.parse(readFileSync(statusPath(dataDir), 'utf8'))
    // Checked member by member.
    const { pid, pocketbasePid, url } = Object(value) as Readonly<Record<string, unknown>>
    if (typeof url !== 'string') return null
    return { pid: numberOrNull(pid), pocketbasePid: numberOrNull(pocketbasePid), url }
  } catch {
    return null // no file yet, or one that was cut: it is a hint only
  }
}

export function writeStatus(dataDir: string, status: EmbeddedStatus): void {
  writePrivateFile(statusPath(dataDir), `${JSON.stringify(status)}\n`)
}

function statusPath(dataDir: string): string {
  return join(dataDir, 'pocketbase.json')
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}
