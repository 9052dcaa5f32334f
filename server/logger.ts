// What the library asks of a logger (pino, console and most others have it), and the one it has by itself.

import { pino } from 'pino'
import { printable } from './lib/printable.ts'
import type { DestinationStream } from 'pino'

export interface Logger {
  debug(details: object, message?: string): void
  info(details: object, message?: string): void
  warn(details: object, message?: string): void
  error(details: object, message?: string): void
}

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel
  /** Where the lines go; default standard output. */
  readonly destination?: DestinationStream
}

/** JSON lines by pino. Errors are written by allow-list: a PocketBase error carries the whole answer, tokens included. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const settings = {
    level: options.level ?? 'info',
    base: null,
    serializers: { err: describeOne, error: describeOne, cause: describeOne },
    // pino copies the message of an error under its own key past the serializer; ours are under another.
    errorKey: 'pino',
    // JSON escapes no more than it must; each of the rest would be acted on by some terminal or viewer.
    hooks: { logMethod: logSafely, streamWrite: (line: string) => `${printable(line.trimEnd())}\n` },
    // The second net; the first is that nobody logs such a field.
    redact: ['password', 'passwordConfirm', 'currentPassword', 'token', 'secret', 'cookie', 'authorization'],
  }
  return options.destination === undefined ? pino(settings) : pino(settings, options.destination)
}

/** Errors under `err`, and texts without secrets, however the logger was called. */
function logSafely(this: unknown, args: unknown[], method: (...args: never[]) => void): void {
  const [details, message] = args
  const safe = [details instanceof Error ? { err: details } : details, message].map((argument) => {
    return typeof argument === 'string' ? argument.replaceAll(SECRETS, REMOVED) : argument
  })
  // The hook hands on what it was given, made safe.
  Reflect.apply(method, this, safe as never[])
}

const REMOVED = '[removed]'
const MAX_CAUSES = 4
/** A JWT, a session cookie's value, credentials in a URL. */
const SECRETS = /eyJ[\w-]+\.[\w-]+\.[\w-]*|s(?::|%3A)[\w-]{20,}\.[\w+/%=-]+|(?<=:\/\/)[^/@\s]+(?=@)/g

function describeOne(error: unknown): object {
  return describeError(error)
}

/** Name, code, status, message and the stack's frames of an error, and of what caused it. */
export function describeError(error: unknown, depth = 0): object {
  if (!(error instanceof Error)) return { type: typeof error }
  // A look at three fields that some errors have.
  const { code, status, cause } = error as { code?: unknown; status?: unknown; cause?: unknown }
  return {
    name: error.name,
    message: error.message.replaceAll(SECRETS, REMOVED),
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(typeof status === 'number' ? { status } : {}),
    stack: error.stack
      ?.split('\n')
      .filter((line) => /^\s+at /.test(line))
      .map((line) => line.trim())
      .slice(0, 12),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: describeError(cause, depth + 1) }),
  }
}
