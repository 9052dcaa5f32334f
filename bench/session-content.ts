// What every session of the benchmark holds, ours and the peers' alike: about 1.3 kB as JSON.

export interface BenchUser {
  readonly id: string
  readonly email: string
  readonly [field: string]: unknown
}

export interface SessionContent {
  readonly user: BenchUser
  /** As long as a PocketBase token. */
  readonly token: string
  /** The app's own fields of `req.session`. */
  readonly data: { readonly theme: string; readonly visits: number; readonly cart: readonly object[] }
}

const ID_LENGTH = 15

export function userId(n: number): string {
  return `u${String(n).padStart(ID_LENGTH - 1, '0')}`
}

export function themeOf(n: number): string {
  return `theme ${n}`
}

/** What the session of user `n` holds. */
export function contentOf(n: number): SessionContent {
  const id = userId(n)
  return {
    user: {
      id,
      collectionId: '_pb_users_auth_',
      collectionName: 'users',
      email: `${id}@example.com`,
      emailVisibility: false,
      verified: true,
      role: 'user',
      name: `Person number ${n}`,
      avatar: `portrait_${id}.png`,
      created: '2026-01-01 12:00:00.000Z',
      updated: '2026-01-02 12:00:00.000Z',
    },
    token: `eyJhbGciOiJIUzI1NiJ9.${id.repeat(12)}.${id.repeat(3)}`,
    data: { theme: themeOf(n), visits: 0, cart: cart() },
  }
}

function cart(): readonly object[] {
  return Array.from({ length: 11 }, (_, line) => ({ article: `article-${line}`, title: `Line ${line}`, price: 1250 }))
}
