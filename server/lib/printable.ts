// Text that a terminal or a viewer of logs shows, and never acts on.

/** Control characters (C0, DEL, C1), line and paragraph separators, and what turns the direction of writing. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** `text` with `\uXXXX` for every character that would start a line, move a cursor or hide what follows. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
