// The command `pocketbase-session`: finds the sub-command, prints what went wrong in words, sets the exit code.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { CliError } from './cli-error.ts'
import { inThisPlace } from './command-line.ts'
import { doctor } from './doctor.ts'
import { help } from './help.ts'
import { secret } from './secret.ts'
import { serve } from './serve.ts'
import { sessions } from './sessions.ts'
import { users } from './users.ts'
import type { Command, Io } from './io.ts'

const COMMANDS: ReadonlyMap<string, Command> = new Map(Object.entries({ serve, sessions, users, secret, doctor, help }))

const SEE_HELP = '"pocketbase-session help" lists the commands; settings are environment variables.'

/** Runs one command line. Answers the exit code; `serve` answers when the server has ended. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name = 'help', ...rest] = args
  const command = isHelp(name) || rest.some(isHelp) ? help : COMMANDS.get(name)
  try {
    if (command === undefined) {
      throw new CliError(`There is no command "${name}". "pocketbase-session help" lists them.`)
    }
    return await command(command === help ? [] : rest, io)
  } catch (error) {
    io.error(inThisPlace(explain(error)))
    return 1
  }
}

/** The command line of this process. */
export async function runFromProcess(): Promise<void> {
  // An exit code instead of process.exit(): what was printed into a pipe gets out first.
  process.exitCode = await main(process.argv.slice(2), fromProcess())
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h'
}

function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof CliError) return error.message
  if (!(error instanceof Error)) return String(error)
  // parseArgs says which option is wrong; that is the user's mistake, not a crash.
  if ('code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')) return `${error.message}. ${SEE_HELP}`
  return error.stack ?? error.message
}

function fromProcess(): Io {
  const envFile = resolve('.env')
  if (existsSync(envFile)) process.loadEnvFile(envFile)
  return {
    cwd: process.cwd(),
    env: process.env,
    print: (text) => void process.stdout.write(`${text}\n`),
    error: (text) => void process.stderr.write(`${text}\n`),
  }
}
