// What the body of a request says it is. Only exact types count: whatever a browser can send across origins without
// asking (text/plain, multipart) and whatever a lax parser takes for JSON (`+json`, other charsets) is `other`.

/** `none`: no Content-Type at all. */
export type MediaKind = 'none' | 'json' | 'form' | 'other'

const CHARSET = '(?:[ \\t]*;[ \\t]*charset=(?:utf-8|"utf-8"))?[ \\t]*$'
const JSON_TYPE = new RegExp(`^application/json${CHARSET}`, 'i')
const FORM_TYPE = new RegExp(`^application/x-www-form-urlencoded${CHARSET}`, 'i')

/** Kind of a Content-Type header. */
export function mediaKind(contentType: string | undefined): MediaKind {
  if (contentType === undefined) return 'none'
  if (JSON_TYPE.test(contentType)) return 'json'
  return FORM_TYPE.test(contentType) ? 'form' : 'other'
}
