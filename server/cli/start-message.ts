// What the start prints: the one address to open, and where everything else is.

import { relative } from 'node:path'
import { commandLine } from './command-line.ts'
import type { ServerSettings } from '../environment.ts'
import type { ServerRun } from './server-run.ts'

export function startMessage(
  { config, embedded }: Pick<ServerRun, 'config' | 'embedded'>,
  settings: ServerSettings,
): string {
  const lines: readonly (readonly [string, string])[] = [
    ['Open', config.origin],
    ['Dashboard', `${config.pocketbase.url}/_/${embedded === null ? '' : ` as ${embedded.superuser.email}`}`],
    ...(embedded === null ? [] : [['', `password in ${here(embedded.superuserPath)}`] as const]),
    ['Mails', mails(embedded?.mailDir ?? null, settings)],
    ['Admin', commandLine('users set-role EMAIL admin')],
    ['Stop', 'Ctrl-C'],
  ]
  return `\n${lines.map(([name, text]) => `  ${name.padEnd(11)}${text}`).join('\n')}\n`
}

function mails(mailDir: string | null, { smtpUrl, pocketbaseUrl }: ServerSettings): string {
  if (pocketbaseUrl !== null) return 'as set in that PocketBase'
  if (smtpUrl !== null || mailDir === null) return 'sent by the server of SMTP_URL'
  return `written to ${here(mailDir)}, none is sent (set SMTP_URL)`
}

function here(path: string): string {
  const short = relative('', path)
  return short.startsWith('..') ? path : short
}
