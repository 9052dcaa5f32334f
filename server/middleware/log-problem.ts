// One line for an error, by allow-list: what was thrown may carry passwords, tokens and whole answers in its text.

import type { Request } from 'express'
import { ConfigError, UsageError, type ProblemError } from '../errors.ts'
import type { Logger } from '../logger.ts'

const MAX_PATH = 200
const MAX_FRAMES = 8
const NAME = /^[\w.-]{1,60}$/
const FRAME = /^ {4}at (?:[\w.<>[\] ]+ \()?(?:file:|node:|\/)[^\s()]*:\d+:\d+\)?$/

/** Faults of ours as errors, of others that we depend on as warnings; what the caller did wrong is their affair. */
export function logProblem(logger: Logger, problem: ProblemError, req: Request): void {
  if (problem.status < 500) return
  const details = {
    code: problem.code,
    status: problem.status,
    method: req.method,
    path: (req.originalUrl.split('?')[0] ?? '').slice(0, MAX_PATH),
    // Ours, for anyone to read; where something was thrown it only says "something went wrong".
    ...(problem.cause === undefined ? { detail: problem.message } : {}),
    // Not "cause": under that name the logger expects an error, and would show nothing of what is described here.
    thrown: describe(problem.cause),
  }
  if (problem.code === 'internal') logger.error(details, 'a request failed')
  else logger.warn(details, 'a request could not be answered')
}

/** Name, code, status and stack frames; a text only where it is ours, and tells the developer what to change. */
function describe(error: unknown): object | null {
  if (!(error instanceof Error)) return error === undefined ? null : { name: typeof error }
  const { code, status } = error as { code?: unknown; status?: unknown } // a look at two fields that some errors have
  return {
    name: shortName(error.name),
    ...(error instanceof UsageError || error instanceof ConfigError ? { text: error.message } : {}),
    ...(code === undefined ? {} : { code: typeof code === 'number' ? code : shortName(code) }),
    ...(typeof status === 'number' ? { status } : {}),
    frames: framesOf(error),
  }
}

function shortName(value: unknown): string {
  return typeof value === 'string' && NAME.test(value) ? value : 'unknown'
}

/** The stack starts with name and message: only lines behind them, and only those that look like a frame. */
function framesOf(error: Error): readonly string[] {
  const stack = error.stack ?? ''
  const start = stack.indexOf(error.message) + error.message.length
  return stack
    .slice(start)
    .split('\n')
    .filter((line) => FRAME.test(line))
    .slice(0, MAX_FRAMES)
    .map((line) => line.trim())
}
