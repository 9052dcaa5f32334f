// Where a visitor is sent back to after signing in. Only a path of our own origin survives.

const MAX_LENGTH = 2048
/** White space, control characters and backslashes: browsers drop or turn them, and another address comes out. */
const DISGUISE = /[\u0000-\u0020\u007f-\u00a0\\]/
/** The same, and slashes, percent-encoded in the path: whoever decodes once too often gets another address. */
const ENCODED_DISGUISE = /%(?:[01][0-9a-f]|2f|5c|7f)/i

/** The path, query and fragment that `value` names on `origin`; `fallback` for everything that leads elsewhere. */
export function safeReturnTo(value: unknown, origin: string, fallback: string): string {
  if (typeof value !== 'string' || value.length > MAX_LENGTH) return fallback
  if (!value.startsWith('/') || value.startsWith('//') || DISGUISE.test(value)) return fallback
  const url = URL.parse(value, origin)
  if (url === null || url.origin !== new URL(origin).origin) return fallback
  if (url.pathname.startsWith('//') || ENCODED_DISGUISE.test(url.pathname)) return fallback
  return url.pathname + url.search + url.hash
}

/** Whether the path part of `target` is `path` or lies below it, in any spelling that Express serves alike. */
export function leadsTo(target: string, path: string): boolean {
  const [asked = ''] = target.toLowerCase().split(/[?#]/)
  const base = path.toLowerCase().replace(/\/+$/, '')
  return asked === base || asked.startsWith(`${base}/`)
}
