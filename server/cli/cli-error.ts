// What a command could not do, in words for the person at the terminal: what is wrong, and the command that helps.

export class CliError extends Error {
  override readonly name = 'CliError'
}
