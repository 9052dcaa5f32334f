// What a PocketBase token says about itself. Read without checking the signature, which only PocketBase can:
// good for knowing when it ends and for refusing the wrong kind, never as proof of identity.

export interface TokenClaims {
  /** `auth` for the tokens of a sign-in. */
  readonly type: string
  /** The record that it speaks for. */
  readonly id: string
  readonly collectionId: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
}

/** The claims of `token`, or null where it is no token of PocketBase. */
export function readTokenClaims(token: string): TokenClaims | null {
  const parts = token.split('.')
  if (parts.length !== 3) return null
  const payload = parseObject(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'))
  if (payload === null) return null
  const { type, id, collectionId, exp } = payload
  if (typeof type !== 'string' || typeof id !== 'string' || typeof collectionId !== 'string') return null
  return typeof exp === 'number' && Number.isFinite(exp) ? { type, id, collectionId, expiresAt: exp * 1000 } : null
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    // A JSON object by the check; the members are still unknown.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null // not JSON, so not a token
  }
}
