// A PocketBase client with the rights of its superuser, for commands only: the server itself never has one.

import PocketBase, { ClientResponseError } from 'pocketbase'
import { readStatus } from '../pocketbase/launcher/status-file.ts'
import { readSuperuser } from '../pocketbase/launcher/superuser-file.ts'
import { CliError } from './cli-error.ts'
import type { ServerSettings } from '../environment.ts'
import type { UserRecord } from '../config.ts'
import type { Superuser } from '../pocketbase/launcher/superuser-file.ts'

const TIMEOUT_MS = 5000

export interface UserDirectory {
  /** Users whose e-mail contains `text`, at most 100, newest first. */
  list(text: string): Promise<readonly UserRecord[]>
  /** @throws CliError where there is no such user */
  byEmail(email: string): Promise<UserRecord>
  /** @throws CliError where PocketBase refuses the role */
  setRole(user: UserRecord, role: string): Promise<void>
}

/** The users of the PocketBase that the settings lead to. @throws CliError where it cannot be asked */
export async function openUsers(settings: ServerSettings): Promise<UserDirectory> {
  const target = findTarget(settings)
  const client = new PocketBase(target.url)
  client.autoCancellation(false)
  client.beforeSend = (url, options) => ({ url, options: { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) } })
  await signIn(client, target)
  const { collection } = settings
  const users = client.collection<UserRecord>(collection)
  return {
    async list(text) {
      const filter = client.filter('email ~ {:text}', { text })
      return (await users.getList(1, 100, { filter, sort: '-@rowid' })).items
    },
    async byEmail(email) {
      const filter = client.filter('email:lower = {:email}', { email: email.toLowerCase() })
      const [found] = (await users.getList(1, 1, { filter })).items
      if (found === undefined) throw new CliError(`There is no user with the e-mail ${email}.`)
      return found
    },
    async setRole(user, role) {
      await setRole(client, { collection, user, role })
    },
  }
}

interface Target {
  readonly url: string
  readonly superuser: Superuser
}

function findTarget({ pocketbaseUrl, superuser, dataDir }: ServerSettings): Target {
  if (pocketbaseUrl !== null) {
    if (superuser === null) {
      throw new CliError(
        'Set POCKETBASE_SUPERUSER_EMAIL and POCKETBASE_SUPERUSER_PASSWORD for the PocketBase of POCKETBASE_URL.',
      )
    }
    return { url: pocketbaseUrl, superuser }
  }
  const status = readStatus(dataDir)
  const own = readSuperuser(dataDir)
  if (status === null || status.pid === null || own === null) {
    throw new CliError(`No server is running on ${dataDir}. Start it first: "pocketbase-session serve"`)
  }
  return { url: status.url, superuser: own }
}

async function signIn(client: PocketBase, { url, superuser }: Target): Promise<void> {
  try {
    await client.collection('_superusers').authWithPassword(superuser.email, superuser.password)
  } catch (error) {
    const isAnswer = error instanceof ClientResponseError && error.status !== 0
    throw new CliError(
      isAnswer
        ? `The PocketBase at ${url} refuses the superuser ${superuser.email}.`
        : `The PocketBase at ${url} does not answer. Is the server running?`,
    )
  }
}

async function setRole(
  client: PocketBase,
  { collection, user, role }: { readonly collection: string; readonly user: UserRecord; readonly role: string },
): Promise<void> {
  try {
    const changed = await client.collection<UserRecord>(collection).update(user.id, { role })
    // A collection without such a field ignores it.
    if (changed.role === role) return
  } catch (error) {
    if (!(error instanceof ClientResponseError) || error.status !== 400) throw error
  }
  throw new CliError(`PocketBase does not take the role "${role}". Our own collection knows user, editor and admin.`)
}
