// pocketbase-session sessions copy: moves sessions to another store, without the secret and without logging anybody out.

import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '../errors.ts'
import { copySessions, isSamePlace, type Copied } from '../sessions/copy-sessions.ts'
import { openStore, sqlitePath } from '../stores/open.ts'
import { CliError } from './cli-error.ts'
import type { CopyableStore } from '../sessions/copyable-store.ts'
import type { Command, Io } from './io.ts'

const USAGE = 'Write "pocketbase-session sessions copy --from URL --to URL", with URLs as in SESSION_STORE.'
/** Nobody waits for an answer here, and a page is more than a request asks for. */
const TIMEOUT_MS = 30_000
const PROGRESS_EVERY = 10_000

type Side = 'from' | 'to'

export const sessionsCopy: Command = async (args, io) => {
  const { values } = parseArgs({ args: [...args], options: { from: { type: 'string' }, to: { type: 'string' } } })
  if (!values.from || !values.to) throw new CliError(USAGE)
  const urls = { from: absolute('from', values.from, io), to: absolute('to', values.to, io) }
  if (urls.from === urls.to) throw samePlace()
  if (urls.from.startsWith('sqlite:') && !existsSync(sqlitePath(urls.from))) {
    throw new CliError(`--from: there is no file ${sqlitePath(urls.from)}`)
  }
  const copied = await withStore('from', urls.from, (from) =>
    withStore('to', urls.to, async (to) => {
      if (await isSamePlace(from, to, `copy:${randomUUID()}`, Date.now())) throw samePlace()
      return copySessions(from, to, { now: Date.now, progress: progressOn(io) })
    }),
  )
  io.print(
    `Read ${sessions(copied.sessions)}, of which ${number(copied.ended)} ended; wrote ${number(copied.written)}.`,
  )
  io.print(
    'Servers that still use the old store: stop them, run this once more, start them with the new SESSION_STORE.',
  )
  return 0
}

/** A path of SQLite is meant from where the command is typed. */
function absolute(side: Side, url: string, { cwd }: Io): string {
  if (url.startsWith('memory:')) {
    throw new CliError(`--${side}: the memory store lives inside the server: no command can look into it.`)
  }
  return url.startsWith('sqlite:')
    ? `sqlite:${resolve(
        cwd,
        inWords(side, () => sqlitePath(url)),
      )}`
    : url
}

async function withStore<T>(side: Side, url: string, work: (store: CopyableStore) => Promise<T>): Promise<T> {
  const store = await inWords(side, () => openStore(url, { timeoutMs: TIMEOUT_MS, cache: false }))
  await inWords(side, () => store.open())
  try {
    return await work(store)
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(`The copy stopped: ${messageOf(error)}. What it has written is right; run it again to go on.`)
  } finally {
    await store.close()
  }
}

/** Says which of the two stores it is about. A store's own messages show nothing secret. */
function inWords<T>(side: Side, work: () => T): T {
  const explain = (error: unknown): never => {
    throw new CliError(`--${side}: ${messageOf(error)}`)
  }
  try {
    const result = work()
    // The type of a promise stays what it is.
    return result instanceof Promise ? (result.catch(explain) as T) : result
  } catch (error) {
    return explain(error)
  }
}

function progressOn({ print }: Io): (copied: Copied) => void {
  let next = PROGRESS_EVERY
  return ({ sessions: count }) => {
    if (count < next) return
    next = count - (count % PROGRESS_EVERY) + PROGRESS_EVERY
    print(`  ${sessions(count)} …`)
  }
}

function samePlace(): CliError {
  return new CliError('--from and --to are the same store: there is nothing to copy.')
}

function sessions(count: number): string {
  return `${number(count)} ${count === 1 ? 'session' : 'sessions'}`
}

function number(count: number): string {
  return count.toLocaleString('en')
}

function messageOf(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.map((text) => text.replace(/^store: /, '')).join('; ')
  return error instanceof Error ? error.message : String(error)
}
