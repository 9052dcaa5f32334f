// What a password must be before PocketBase sees it. bcrypt cuts at 72 bytes and at a NUL, so that a longer
// password with any ending would be accepted as the same one.

const MIN_CHARACTERS = 8
const MAX_BYTES = 72

/** Whether bcrypt reads all of `password`. What it would cut is refused at login too. */
export function isWholePassword(password: string): boolean {
  return !password.includes('\0') && Buffer.byteLength(password) <= MAX_BYTES
}

/** What is wrong with a new password, for the person who chose it; `null` where nothing is. */
export function passwordProblem(password: string): string | null {
  if (password.includes('\0')) return 'The password must not contain a NUL character.'
  if (Buffer.byteLength(password) > MAX_BYTES) return `The password must not be longer than ${MAX_BYTES} bytes.`
  if (Array.from(password).length < MIN_CHARACTERS) return `The password needs at least ${MIN_CHARACTERS} characters.`
  return null
}
