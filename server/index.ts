// The public API of the package. What is not here is free to change.

export { createAuth } from './create-auth.ts'
export type { Auth, AuthSessions, SessionInfo } from './create-auth.ts'
export type {
  AuthOptions,
  PocketBaseOptions,
  RevalidateOptions,
  SessionOptions,
  UnsafeOptions,
  UserRecord,
} from './config.ts'
export {
  ConfigError,
  PocketBaseUnavailableError,
  ProblemError,
  SessionGoneError,
  StoreUnavailableError,
} from './errors.ts'
export type { AuthContext, AuthSession, SessionData } from './express-types.ts'
export type { FieldErrors, ProblemCode } from './errors.ts'
export type { AuthEventEmitter, AuthEvents } from './events.ts'
export type { Credentials } from './identity.ts'
export type { Logger } from './logger.ts'
export { toExpressStore } from './middleware/to-express-store.ts'
export type { ExpressStoreOptions } from './middleware/to-express-store.ts'
export type { CopyableStore, EntryPage, StoreEntry } from './sessions/copyable-store.ts'
export type { EndedSession, MutableColumns, SessionColumns, SessionRecord } from './sessions/record.ts'
export type { FindResult, ScanPage, SessionTouch, SessionUpdate, Store } from './sessions/store.ts'
export type { EndReason } from './sessions/reasons.ts'
export { createMemoryStore } from './stores/memory.ts'
export { createMongoStore } from './stores/mongo.ts'
export { createPostgresStore } from './stores/postgres.ts'
export { createRedisStore } from './stores/redis.ts'
export { createSqliteStore } from './stores/sqlite.ts'
