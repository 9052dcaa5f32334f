// What a command gets from the world around it.

export interface Io {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly print: (text: string) => void
  readonly error: (text: string) => void
}

/** Takes the arguments behind its name. Answers the exit code. @throws CliError, ConfigError */
export type Command = (args: readonly string[], io: Io) => Promise<number> | number
