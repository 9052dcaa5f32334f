// The users of the PocketBase behind the server, with the rights of its superuser: for commands only.

import { ClientResponseError } from 'pocketbase'
import { readStatus } from '../pocketbase/launcher/status-file.ts'
import { readSuperuser } from '../pocketbase/launcher/superuser-file.ts'
import { setRole, signInSuperuser } from '../pocketbase/superuser.ts'
import { CliError } from './cli-error.ts'
import type PocketBase from 'pocketbase'
import type { ServerSettings } from '../environment.ts'
import type { UserRecord } from '../config.ts'
import type { SuperuserOptions } from '../pocketbase/superuser.ts'

export interface UserDirectory {
  /** Users whose e-mail contains `text`, at most 100, newest first. */
  list(text: string): Promise<readonly UserRecord[]>
  /** The id of a user. @throws CliError where there is no such user */
  idOf(email: string): Promise<string>
  /** @throws CliError where there is no such user, or PocketBase does not take the role */
  setRole(email: string, role: string): Promise<void>
}

/** The users of the PocketBase that the settings lead to. @throws CliError where it cannot be asked */
export async function openUsers(settings: ServerSettings): Promise<UserDirectory> {
  const { collection } = settings
  const client = await signIn(findTarget(settings))
  const users = client.collection<UserRecord>(collection)
  return {
    async list(text) {
      const filter = client.filter('email ~ {:text}', { text })
      return (await users.getList(1, 100, { filter, sort: '-@rowid' })).items
    },
    async idOf(email) {
      const filter = client.filter('email:lower = {:email}', { email: email.toLowerCase() })
      const [found] = (await users.getList(1, 1, { filter })).items
      return found === undefined ? noSuchUser(email) : found.id
    },
    async setRole(email, role) {
      const { kind } = await setRole(client, { collection, email, role })
      if (kind === 'unknown') noSuchUser(email)
      if (kind === 'refused') {
        throw new CliError(
          `PocketBase does not take the role "${role}". Our own collection knows user, editor and admin.`,
        )
      }
    },
  }
}

function noSuchUser(email: string): never {
  throw new CliError(`There is no user with the e-mail ${email}. "pocketbase-session users list" shows all.`)
}

function findTarget({ pocketbaseUrl, superuser, dataDir }: ServerSettings): SuperuserOptions {
  if (pocketbaseUrl !== null) {
    if (superuser !== null) return { url: pocketbaseUrl, superuser }
    throw new CliError(
      'Set POCKETBASE_SUPERUSER_EMAIL and POCKETBASE_SUPERUSER_PASSWORD for the PocketBase of POCKETBASE_URL.',
    )
  }
  const status = readStatus(dataDir)
  const own = readSuperuser(dataDir)
  if (status === null || status.pid === null || own === null) {
    throw new CliError(`No server is running on ${dataDir}. Start it first: "pocketbase-session serve"`)
  }
  return { url: status.url, superuser: own }
}

async function signIn(target: SuperuserOptions): Promise<PocketBase> {
  try {
    return await signInSuperuser(target)
  } catch (error) {
    const isAnswer = error instanceof ClientResponseError && error.status !== 0
    throw new CliError(
      isAnswer
        ? `The PocketBase at ${target.url} refuses the superuser ${target.superuser.email}.`
        : `The PocketBase at ${target.url} does not answer. Is the server running?`,
    )
  }
}
