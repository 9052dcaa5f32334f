// pocketbase-session help

import { commandLine } from './command-line.ts'
import type { Command } from './io.ts'

const TEXT = `pocketbase-session: server-side sessions for Express apps whose users live in PocketBase

  serve                        start the server, with a PocketBase of its own unless POCKETBASE_URL is set
  users list [TEXT]            users whose e-mail contains TEXT
  users set-role EMAIL ROLE    make somebody admin, editor or user
  sessions list [EMAIL]        live sessions, of one user or all
  sessions end EMAIL           end all sessions of a user
  sessions copy --from URL --to URL
                               copy all sessions to another store
  secret                       print a new secret for SESSION_SECRET
  doctor                       look for what is wrong here, and say what to do
  help                         this text

Settings come from the environment and from .env: docs/configuration.md lists them.`

export const help: Command = (_args, io) => {
  io.print(`${TEXT}\n\nTyped here as: ${commandLine('…')}`)
  return 0
}
