// How our command is written here: in a clone it runs through npm, which brings the right Node.

const IN_CLONE = import.meta.filename.endsWith('.ts')

/** A command line to type here: `commandLine('users list')`. */
export function commandLine(rest: string): string {
  return IN_CLONE ? `npm run cli -- ${rest}` : `npx pocketbase-session ${rest}`
}

/** A text with its quoted command lines written as they are typed here. */
export function inThisPlace(text: string): string {
  return text.replaceAll(/"pocketbase-session ([^"]*)"/g, (_, rest: string) => `"${commandLine(rest)}"`)
}
