// pocketbase-session sessions: list live sessions, end those of a user, copy all to another store. Their content stays sealed: it needs the cookie.

import { parseArgs } from 'node:util'
import { loadEnvironment } from '../environment.ts'
import { openStore } from '../stores/open.ts'
import { CliError } from './cli-error.ts'
import { sessionsCopy } from './sessions-copy.ts'
import { openUsers } from './superuser-client.ts'
import { table } from './table.ts'
import type { ServerSettings } from '../environment.ts'
import type { SessionColumns } from '../sessions/record.ts'
import type { Store } from '../sessions/store.ts'
import type { Command } from './io.ts'

const USAGE =
  'Write "pocketbase-session sessions list [EMAIL]", "pocketbase-session sessions end EMAIL" or "pocketbase-session sessions copy --from URL --to URL".'
const PAGE = 500

export const sessions: Command = async (args, io) => {
  if (args[0] === 'copy') return sessionsCopy(args.slice(1), io)
  const { positionals } = parseArgs({ args: [...args], options: {}, allowPositionals: true })
  const [action, email, ...rest] = positionals
  const settings = loadEnvironment(io.env, io.cwd)
  if (action === 'list' && rest.length === 0) {
    const found = await withStore(settings, (store) => list(store, settings, email))
    io.print(found.length === 0 ? 'No live sessions.' : table(HEAD, found.map(toRow)))
    return 0
  }
  if (action !== 'end' || email === undefined || rest.length > 0) throw new CliError(USAGE)
  const userId = await (await openUsers(settings)).idOf(email)
  const ended = await withStore(settings, async (store) => store.endByUser(userId, 'admin_revoked', Date.now()))
  io.print(`Ended ${ended} ${ended === 1 ? 'session' : 'sessions'} of ${email}.`)
  return 0
}

const HEAD = ['ID', 'USER', 'LAST SEEN', 'ENDS AT THE LATEST', 'DEVICE', 'ADDRESS']

function toRow({ handle, userId, lastSeenAt, expiresAt, device, ip }: SessionColumns): readonly string[] {
  return [handle, userId ?? '(not signed in)', inTime(lastSeenAt), inTime(expiresAt), device, ip]
}

function inTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

async function list(
  store: Store,
  settings: ServerSettings,
  email: string | undefined,
): Promise<readonly SessionColumns[]> {
  const now = Date.now()
  if (email !== undefined) return store.listByUser(await (await openUsers(settings)).idOf(email), now)
  const live: SessionColumns[] = []
  let cursor: string | null = null
  do {
    const page = await store.scan(cursor, PAGE)
    live.push(...page.sessions.filter((row) => row.ended === null && row.idleExpiresAt > now && row.expiresAt > now))
    cursor = page.cursor
  } while (cursor !== null)
  return live
}

async function withStore<T>(settings: ServerSettings, work: (store: Store) => Promise<T>): Promise<T> {
  if (settings.store.startsWith('memory:')) {
    throw new CliError('The memory store lives inside the server: no command can look into it. Use the page /admin.')
  }
  const store = await openStore(settings.store)
  await store.open()
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
