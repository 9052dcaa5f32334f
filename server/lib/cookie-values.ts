// Values of one cookie of a request, as they were sent.

/**
 * All values under this exact name. Only `;` and the ASCII space separate: other white space, quotes and
 * `$Version` have disguised cookies before. More than one value means that somebody else may have planted one.
 */
export function cookieValues(header: string | undefined, name: string): readonly string[] {
  const values: string[] = []
  for (const pair of header?.split(';') ?? []) {
    const start = pair.startsWith(' ') ? 1 : 0
    if (pair.startsWith(`${name}=`, start)) values.push(pair.slice(start + name.length + 1))
  }
  return values
}
