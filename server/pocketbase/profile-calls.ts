// The profile of a user: one record of the profile collection whose `user` is them.

import type { RecordModel } from 'pocketbase'
import type { Answer } from './answer.ts'
import { fieldErrorsFrom } from './field-errors.ts'
import type { Client, PocketBasePort, WriteResult } from './port.ts'
import type { Upstream } from './upstream.ts'

type Fields = Readonly<Record<string, unknown>>
type Owner = Parameters<PocketBasePort['getProfile']>[0]

const NOT_SAVED = 'The profile was not saved.'

export function profileCalls(upstream: Upstream): Pick<PocketBasePort, 'getProfile' | 'setProfile'> {
  return {
    getProfile: (owner, client) => getProfile(upstream, owner, client),
    setProfile: (input, client) => setProfile(upstream, input, client),
  }
}

/** Those of `fields` that the configuration lets a user set; `user` or a file would be mass assignment. */
export function allowedFields({ profile }: Upstream, fields: Fields): Fields {
  const names = profile === false ? [] : profile.fields
  return Object.fromEntries(names.filter((name) => Object.hasOwn(fields, name)).map((name) => [name, fields[name]]))
}

async function getProfile(upstream: Upstream, owner: Owner, client: Client): Promise<WriteResult<Fields | null>> {
  const found = await findProfile(upstream, owner, client)
  if (found.kind === 'ok') return { kind: 'ok', value: found.value && allowedFields(upstream, found.value) }
  if (found.kind === 'refused' && found.status === 401) return { kind: 'rejected' }
  return { kind: 'ok', value: null } // no such collection, or not for this user's eyes
}

async function setProfile(
  upstream: Upstream,
  { fields, ...owner }: Parameters<PocketBasePort['setProfile']>[0],
  client: Client,
): Promise<WriteResult<Fields>> {
  const found = await findProfile(upstream, owner, client)
  const input = { owner, fields: allowedFields(upstream, fields) }
  const id = found.kind === 'ok' ? found.value?.id : undefined
  if (id !== undefined) return writeResult(upstream, await updateProfile(upstream, { ...input, id }, client))
  const created = await createProfile(upstream, input, client)
  // Somebody else has just made it: the index on `user` allows one.
  const taken = created.kind === 'refused' && 'user' in created.data
  const again = taken ? await findProfile(upstream, owner, client) : null
  if (again?.kind !== 'ok' || again.value === null) return writeResult(upstream, created)
  return writeResult(upstream, await updateProfile(upstream, { ...input, id: again.value.id }, client))
}

/** Makes the profile where there is none, and leaves one that is there alone. */
export async function ensureProfile(
  upstream: Upstream,
  { fields, ...owner }: Parameters<PocketBasePort['setProfile']>[0],
  client: Client,
): Promise<Answer<unknown>> {
  const found = await findProfile(upstream, owner, client)
  if (found.kind !== 'ok' || found.value !== null) return found
  return createProfile(upstream, { owner, fields: allowedFields(upstream, fields) }, client)
}

function writeResult(upstream: Upstream, answer: Answer<RecordModel>): WriteResult<Fields> {
  if (answer.kind === 'ok') return { kind: 'ok', value: allowedFields(upstream, answer.value) }
  const data = answer.kind === 'refused' ? answer.data : {}
  if (answer.kind === 'refused' && answer.status === 401) return { kind: 'rejected' }
  return { kind: 'invalid', errors: fieldErrorsFrom(data, NOT_SAVED) }
}

async function findProfile(
  { ask, profile }: Upstream,
  { token, userId }: Owner,
  client: Client,
): Promise<Answer<RecordModel | null>> {
  if (profile === false) return { kind: 'ok', value: null }
  const answer = await ask({ name: 'findProfile', client, token }, (sdk) => {
    const filter = sdk.filter('user = {:userId}', { userId })
    return sdk.collection(profile.collection).getList(1, 1, { filter, skipTotal: true })
  })
  return answer.kind === 'ok' ? { kind: 'ok', value: answer.value.items?.[0] ?? null } : answer
}

interface ProfileInput {
  readonly owner: Owner
  readonly fields: Fields
}

/** Without a profile collection nothing is saved, which is what `profile: false` says. */
const NOTHING: Answer<RecordModel> = { kind: 'refused', status: 404, message: '', data: {} }

function createProfile(
  { ask, profile }: Upstream,
  { owner: { token, userId }, fields }: ProfileInput,
  client: Client,
): Promise<Answer<RecordModel>> {
  if (profile === false) return Promise.resolve(NOTHING)
  return ask({ name: 'createProfile', client, token }, (sdk) =>
    sdk.collection(profile.collection).create({ ...fields, user: userId }),
  )
}

function updateProfile(
  { ask, profile }: Upstream,
  { id, owner: { token }, fields }: ProfileInput & { readonly id: string },
  client: Client,
): Promise<Answer<RecordModel>> {
  if (profile === false) return Promise.resolve(NOTHING)
  return ask({ name: 'updateProfile', client, token }, (sdk) =>
    sdk.collection(profile.collection).update(id, { ...fields }),
  )
}
