// The tables of the PostgreSQL store, and how older ones become newer ones.

import { ConfigError } from '../errors.ts'

/** One entry per version of the schema; never changed, only added to. `$` stands for the tables' prefix, as in `pbs_`. */
const MIGRATIONS = [
  `
  CREATE TABLE $schema (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), version int NOT NULL);
  INSERT INTO $schema (version) VALUES (0);

  -- Compared byte by byte: a change of the system's collations damages no index.
  CREATE TABLE $sessions (
    key text COLLATE "C" PRIMARY KEY,
    handle text COLLATE "C" NOT NULL,
    user_id text COLLATE "C",
    collection text COLLATE "C",
    created_at bigint NOT NULL,
    auth_time bigint,
    validated_at bigint,
    last_seen_at bigint NOT NULL,
    idle_expires_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    token_expires_at bigint,
    amr text NOT NULL,
    device text NOT NULL,
    ip text NOT NULL,
    remembered boolean NOT NULL,
    cookie bigint,
    version bigint NOT NULL,
    end_reason text COLLATE "C",
    ended_at bigint,
    fields jsonb
  -- Fields live beside the row and each page has room for next versions: a touch writes 300 bytes and no index.
  ) WITH (fillfactor = 80, toast_tuple_target = 512, autovacuum_vacuum_scale_factor = 0.05);
  -- Sealed bytes do not get smaller: do not try.
  ALTER TABLE $sessions ALTER COLUMN fields SET STORAGE EXTERNAL;
  CREATE INDEX ON $sessions (user_id, created_at) WHERE user_id IS NOT NULL AND end_reason IS NULL;
  CREATE INDEX ON $sessions (expires_at);

  CREATE TABLE $epoch (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), epoch bigint NOT NULL);
  INSERT INTO $epoch (epoch) VALUES (0);
  CREATE TABLE $user_epochs (user_id text COLLATE "C" PRIMARY KEY, epoch bigint NOT NULL, noted_at bigint NOT NULL);
  CREATE INDEX ON $user_epochs (noted_at);

  CREATE TABLE $claims (name text COLLATE "C" PRIMARY KEY, expires_at bigint NOT NULL);
  CREATE INDEX ON $claims (expires_at);
  CREATE TABLE $counters (name text COLLATE "C" PRIMARY KEY, count bigint NOT NULL, reset_at bigint NOT NULL)
    WITH (fillfactor = 80);
  CREATE INDEX ON $counters (reset_at);
  `,
  `
  -- Whether there may be processes that keep rows, which have to be told when one ends.
  ALTER TABLE $schema ADD COLUMN rows_are_kept boolean NOT NULL DEFAULT false;
  `,
]

/** "pbss": whoever migrates holds this lock, so that of many processes that start together one does it. */
const LOCK = 0x70_62_73_73
/** Building an index on many sessions takes longer than a call may. */
const MIGRATION_TIMEOUT_MS = 10 * 60_000
/** A machine that dies with the lock keeps it for half a minute, not for the two hours that are usual. */
const KEEP_ALIVE = 'SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 4'

export interface SchemaOptions {
  /** Stands before each table's name. */
  readonly prefix: string
  /** The schema of the database to keep them in, where one was named. */
  readonly schema: string | undefined
}

/** Runs SQL that is not prepared, on a connection that is closed afterwards. Answers the rows of the last statement. */
export type Exec = (sql: string, timeoutMs?: number) => Promise<readonly (readonly (string | null)[])[]>

/**
 * Makes or upgrades the tables. All in one transaction: a start that fails half-way leaves nothing.
 * @throws ConfigError where the tables are of a newer release, or may not be made.
 */
export async function migrate(exec: Exec, options: SchemaOptions): Promise<void> {
  try {
    if ((await versionOf(exec, options)) < MIGRATIONS.length) await upgradeLocked(exec, options)
  } catch (error) {
    throw isDenied(error) ? await explainDenied(exec, options) : error
  }
}

async function upgradeLocked(exec: Exec, options: SchemaOptions): Promise<void> {
  await exec(`SET statement_timeout = ${MIGRATION_TIMEOUT_MS}; ${KEEP_ALIVE}`)
  // Held by the connection, not by a transaction: only one that begins after the wait is sure to see new tables.
  await exec(`SELECT pg_advisory_lock(${LOCK})`, MIGRATION_TIMEOUT_MS)
  try {
    await exec('BEGIN ISOLATION LEVEL READ COMMITTED')
    const version = await versionOf(exec, options)
    if (version < MIGRATIONS.length) await exec(upgrade(version, options), MIGRATION_TIMEOUT_MS)
    await exec('COMMIT')
  } finally {
    // Nothing to roll back after the commit; where the connection is lost, the server lets go of both, and the first error counts.
    await exec(`ROLLBACK; SELECT pg_advisory_unlock(${LOCK})`).catch(() => undefined)
  }
}

async function versionOf(exec: Exec, { prefix }: SchemaOptions): Promise<number> {
  const table = `${prefix}schema`
  const [found] = await exec(`SELECT to_regclass('${table}') IS NOT NULL`)
  if (found?.[0] !== 't') return 0
  const [row] = await exec(`SELECT version FROM ${table}`)
  const version = Number(row?.[0])
  if (version <= MIGRATIONS.length) return version
  throw new ConfigError([
    `store: the session tables have schema version ${version}, this release knows ${MIGRATIONS.length}. Start the newer release, or name another database or schema.`,
  ])
}

function upgrade(version: number, { prefix, schema }: SchemaOptions): string {
  const steps = MIGRATIONS.slice(version).map((sql) => sql.replaceAll('$', prefix))
  // Only where it is missing: the right to make schemas is asked for even where there is nothing to make.
  const place = schema === undefined ? [] : [ifMissing(schema)]
  return [...place, ...steps, `UPDATE ${prefix}schema SET version = ${MIGRATIONS.length}`].join(';\n')
}

function ifMissing(schema: string): string {
  return `DO 'BEGIN IF to_regnamespace(''"${schema}"'') IS NULL THEN CREATE SCHEMA "${schema}"; END IF; END'`
}

/** SQLSTATE of "permission denied", and of "no schema has been selected to create in". */
function isDenied(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === '42501' || error.code === '3F000')
}

async function explainDenied(exec: Exec, { schema }: SchemaOptions): Promise<ConfigError> {
  const [row] = await exec(`SELECT quote_ident(current_user), quote_ident(current_database())`)
  const [user = '', database = ''] = row ?? []
  const name = schema ?? 'pbs'
  const hint = schema === undefined ? `, and add ?schema=${name} to the store's URL` : ''
  return new ConfigError([
    `store: PostgreSQL does not let ${user} make the session tables. As an administrator of ${database}, run: CREATE SCHEMA IF NOT EXISTS "${name}"; GRANT USAGE, CREATE ON SCHEMA "${name}" TO ${user}${hint}`,
  ])
}
