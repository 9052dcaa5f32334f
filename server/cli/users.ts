// pocketbase-session users: list them, give somebody a role.

import { parseArgs } from 'node:util'
import { loadEnvironment } from '../environment.ts'
import { CliError } from './cli-error.ts'
import { openUsers } from './superuser-client.ts'
import { table } from './table.ts'
import type { Command, Io } from './io.ts'

const USAGE = 'Write "pocketbase-session users list [TEXT]" or "pocketbase-session users set-role EMAIL ROLE".'

export const users: Command = async (args, io) => {
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true })
  const [action, ...rest] = positionals
  if (action === 'list' && rest.length <= 1) return list(rest[0] ?? '', io)
  const [email, role] = rest
  if (action === 'set-role' && email !== undefined && role !== undefined && rest.length === 2) {
    return setRole(email, role, io)
  }
  throw new CliError(USAGE)
}

async function list(text: string, io: Io): Promise<number> {
  const directory = await openUsers(loadEnvironment(io.env, io.cwd))
  const rows = (await directory.list(text)).map((user) => {
    return [user.email ?? '', user.role ?? '', user.verified === true ? 'verified' : '', user.id]
  })
  io.print(rows.length === 0 ? 'No users.' : table(['E-MAIL', 'ROLE', 'E-MAIL IS', 'ID'], rows))
  return 0
}

async function setRole(email: string, role: string, io: Io): Promise<number> {
  const directory = await openUsers(loadEnvironment(io.env, io.cwd))
  await directory.setRole(email, role)
  io.print(`${email} now has the role ${role}. It counts from their next request on.`)
  return 0
}
