// A line of PocketBase's output, fit for a log: no tokens, no colours, no control characters, not endless.

const MAX_LENGTH = 500
const ANSI = new RegExp(String.raw`${String.fromCharCode(27)}\[[0-9;]*[A-Za-z]`, 'g')
const CONTROL = /\p{Cc}/gu
/** A signed token; the installer link of a PocketBase without a superuser holds one. */
const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g

export function safeLine(line: string): string {
  return line.replace(ANSI, '').replace(TOKEN, '[token]').replace(CONTROL, ' ').slice(0, MAX_LENGTH)
}
