// Where a Chromium is on this machine.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** `CHROMIUM_BIN` where it is set, else the first Chromium on the PATH or in /usr/bin. */
export function findChromium(): string | undefined {
  const named = process.env['CHROMIUM_BIN']
  if (named !== undefined && named !== '') return named
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin']
  return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false // not there, or not for us
  }
}
