// What a new session is to hold, before it has an id.

import { createHandle, createSessionId, sessionKey } from './session-id.ts'
import { absoluteDeadline, idleDeadline, type SessionPolicy } from './policy.ts'
import { dataField, LiveSession } from './live-session.ts'
import type { SessionColumns } from './record.ts'
import type { Secrets } from './secrets.ts'

/** A user that PocketBase has confirmed. */
export interface SignedIn {
  readonly user: { readonly id: string }
  readonly token: string
  /** `exp` of the token, epoch milliseconds. */
  readonly tokenExpiresAt: number
  readonly collection: string
  /** RFC 8176. */
  readonly amr: readonly string[]
}

export interface SessionDraft {
  /** The top-level fields of `req.session`. */
  readonly data: Readonly<Record<string, unknown>>
  readonly signedIn: SignedIn | null
  readonly remembered: boolean
  /** A coarse label, "Firefox on Linux". */
  readonly device: string
  /** Already cut to /24 or /48. */
  readonly ip: string
  /** Cookie lifetime in milliseconds that a handler set. */
  readonly cookie?: number | null
  /** An id that was told to the app before its row is written (`regenerate`). By default a new one is drawn. */
  readonly id?: string
}

export interface DraftContext {
  readonly secrets: Secrets
  readonly policy: SessionPolicy
  readonly now: number
  /** Tag of the session that it replaces. */
  readonly tag?: string
}

/** A session with a new id, all its fields sealed. Nothing is written. */
export function buildSession(draft: SessionDraft, { secrets, policy, now, tag }: DraftContext): LiveSession {
  const { id = createSessionId(tag), signedIn } = draft
  const deadlines = {
    remembered: draft.remembered,
    cookie: draft.cookie ?? null,
    expiresAt: absoluteDeadline(policy, draft.remembered, now),
    tokenExpiresAt: signedIn?.tokenExpiresAt ?? null,
  }
  const columns: SessionColumns = {
    key: sessionKey(id),
    handle: createHandle(),
    userId: signedIn?.user.id ?? null,
    collection: signedIn?.collection ?? null,
    createdAt: now,
    authTime: signedIn === null ? null : now,
    validatedAt: signedIn === null ? null : now,
    lastSeenAt: now,
    idleExpiresAt: idleDeadline(policy, deadlines, now),
    ...deadlines,
    amr: signedIn?.amr ?? [],
    device: draft.device,
    ip: draft.ip,
    version: 1,
  }
  const empty = new LiveSession(id, { ...columns, fields: new Map() }, secrets)
  return new LiveSession(id, { ...columns, fields: empty.seal(fieldsOf(draft)) }, secrets)
}

function fieldsOf({ data, signedIn }: SessionDraft): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(data)) fields[dataField(name)] = value
  return signedIn === null ? fields : { ...fields, token: signedIn.token, user: signedIn.user }
}
