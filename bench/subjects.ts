// What is measured: every server, every row of the table, and the target of each.

/** What a server keeps its sessions in; a real server is started for the last two. */
export type Backend = 'none' | 'memory' | 'sqlite' | 'redis' | 'postgres'

export interface Subject {
  readonly id: string
  /** Path of its program in bench/. */
  readonly program: string
  readonly backend: Backend
  readonly sessions: number
  /** What an ended session's cookie does: `refused`, or that the server cannot end one. */
  readonly canEnd: boolean
  /** The product's option `cache`, where it is set. */
  readonly cache?: boolean
}

export interface Row {
  readonly subject: Subject
  readonly label: string
  readonly path: '/me' | '/theme' | '/visits' | '/hello'
  /** Least ratio to bare Express; `null` where there is none to reach. */
  readonly target: number | null
}

const FEW = 1000
const MANY = 100_000

const subject = (id: string, program: string, more: Partial<Subject> = {}): Subject => ({
  id,
  program,
  backend: 'none',
  sessions: FEW,
  canEnd: true,
  ...more,
})

const ours = (backend: Backend, sessions = FEW): Subject =>
  subject(`ours-${backend}-${sessions}`, 'servers/ours.ts', { backend, sessions })

const peer = (name: string, more: Partial<Subject> = {}): Subject =>
  subject(`${name}-${more.sessions ?? FEW}`, `peers/${name}.mjs`, more)

const me = (label: string, of: Subject, target: number | null = null): Row => ({
  subject: of,
  label,
  path: '/me',
  target,
})

export const MEMORY = ours('memory')
export const SQLITE = ours('sqlite')
export const REDIS = ours('redis')

/** The reference; it takes part in every round. */
export const BARE = subject('bare', 'servers/bare.ts', { canEnd: false })

export const OUR_ROWS: readonly Row[] = [
  me('memory', MEMORY, 0.9),
  me('SQLite', SQLITE, 0.75),
  me('Redis', REDIS, 0.85),
  me(
    'PostgreSQL, cache: true',
    subject('ours-postgres-cached', 'servers/ours.ts', { backend: 'postgres', cache: true }),
    0.8,
  ),
  me('PostgreSQL', ours('postgres')),
  me('memory', ours('memory', MANY), 0.65),
  me('SQLite', ours('sqlite', MANY), 0.5),
  me('Redis', ours('redis', MANY), 0.5),
  { subject: MEMORY, label: 'memory', path: '/theme', target: 0.45 },
  { subject: SQLITE, label: 'SQLite', path: '/theme', target: 0.33 },
  { subject: MEMORY, label: 'memory', path: '/visits', target: 0.35 },
  { subject: SQLITE, label: 'SQLite', path: '/visits', target: 0.24 },
  { subject: MEMORY, label: 'memory', path: '/hello', target: 0.97 },
]

export const PEER_ROWS: readonly Row[] = [
  me('express-session, MemoryStore', peer('memory-store', { backend: 'memory' })),
  me('express-session, connect-redis', peer('connect-redis', { backend: 'redis' })),
  me('express-session, connect-pg-simple', peer('connect-pg-simple', { backend: 'postgres' })),
  me('express-session, better-sqlite3-session-store', peer('better-sqlite3-session-store', { backend: 'sqlite' })),
  me('iron-session (in the cookie, cannot be ended)', peer('iron-session', { canEnd: false })),
  me('better-auth, SQLite', peer('better-auth', { backend: 'sqlite' })),
  me('Fastify, @fastify/session in memory', peer('fastify-session', { backend: 'memory' })),
  me('express-session, MemoryStore', peer('memory-store', { backend: 'memory', sessions: MANY })),
  me('express-session, connect-redis', peer('connect-redis', { backend: 'redis', sessions: MANY })),
]

/** What a row asks of the server, in words. */
export const ASKS: Readonly<Record<Row['path'], string>> = {
  '/me': 'signed-in GET /me',
  '/theme': 'reads one field of req.session',
  '/visits': 'writes one field of req.session',
  '/hello': 'no cookie',
}
