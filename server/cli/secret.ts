// pocketbase-session secret: a new secret for SESSION_SECRET.

import { parseArgs } from 'node:util'
import { newSecret } from '../development-secret.ts'
import type { Command } from './io.ts'

export const secret: Command = (args, io) => {
  parseArgs({ args: [...args], options: {} })
  io.print(newSecret())
  return 0
}
