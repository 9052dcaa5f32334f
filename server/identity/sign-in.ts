// Signing in: PocketBase confirms, the row is written, and only then the browser gets its cookie.

import { SessionGoneError } from '../errors.ts'
import type { Credentials, SignInOptions } from './credentials.ts'
import { coarseAddress } from '../lib/coarse-address.ts'
import { deviceLabel } from '../lib/device-label.ts'
import type { RequestSession } from '../middleware/request-session.ts'
import type { Authenticated, Client } from '../pocketbase/port.ts'
import type { SessionDraft } from '../sessions/draft.ts'
import type { LiveSession } from '../sessions/live-session.ts'
import { checkPassword, invalidCredentials } from './check-password.ts'
import type { IdentityServices } from './services.ts'

/** Checks the credentials and signs this browser in. */
export async function signIn(
  services: IdentityServices,
  session: RequestSession,
  { credentials, options }: { readonly credentials: Credentials; readonly options: SignInOptions },
): Promise<LiveSession> {
  if (session.error !== null) throw session.error
  const epoch = await services.sessions.epoch()
  const who =
    'token' in credentials
      ? await confirmToken(services, credentials.token, session.client)
      : await checkPassword(services, credentials, session.client)
  return establish(services, session, { ...options, who, epoch })
}

/** Writes the row of a sign-in that PocketBase has confirmed, and hands it to the request last of all. */
export async function establish(
  services: IdentityServices,
  session: RequestSession,
  options: SignInOptions & { readonly who: Authenticated; readonly epoch: number },
): Promise<LiveSession> {
  if (session.error !== null) throw session.error
  const { user } = options.who
  const replaced = session.session?.record.handle ?? null
  const live = await writeRow(services, session, signInDraft(services, session.client, options))
  await refuseSuperseded(services, session, { live, epoch: options.epoch })
  const evicted = await services.sessions.evict(live)
  session.adopt(live)
  const about = { userId: user.id, session: live.record.handle, ip: session.client.ip }
  services.events.emit('authn_login_success', { ...about, amr: live.record.amr, replaced })
  if (evicted > 0) services.events.emit('excess_sessions_exceeded', { ...about, ended: evicted })
  return live
}

/**
 * Ends a row that was written while all sessions of its user were being ended: the one who ended them must win.
 * Called after every write that gives a signed-in user a new id, before its cookie is sent.
 * @throws SessionGoneError with reason `superseded`
 */
export async function refuseSuperseded(
  { sessions }: IdentityServices,
  session: RequestSession,
  { live, epoch }: { readonly live: LiveSession; readonly epoch: number },
): Promise<void> {
  const { userId } = live.record
  if (userId === null || (await sessions.epoch(userId)) <= epoch) return
  await sessions.end(live, 'superseded')
  // The old row was replaced; without one the cookie, if any, may belong to a login that has just happened.
  if (session.session !== null) session.drop('superseded')
  throw new SessionGoneError('superseded')
}

/** Where a session is used from, as the device list shows it. */
export function seenFrom(client: Client): Pick<SessionDraft, 'device' | 'ip'> {
  return { device: deviceLabel(client.userAgent), ip: coarseAddress(client.ip) }
}

/** A token that the app got by itself proves nothing before PocketBase has renewed it. */
async function confirmToken(services: IdentityServices, token: string, client: Client): Promise<Authenticated> {
  const result = await services.pocketbase.authRefresh(token, client)
  if (result.kind === 'ok') return result
  services.events.emit('authn_login_fail', { why: result.kind, ip: client.ip })
  throw invalidCredentials(services.config)
}

function signInDraft(
  { pocketbase }: IdentityServices,
  client: Client,
  { who, remember, amr }: SignInOptions & { readonly who: Authenticated },
): SessionDraft {
  const { user, token, expiresAt: tokenExpiresAt } = who
  return {
    ...seenFrom(client),
    data: {},
    signedIn: { user, token, tokenExpiresAt, collection: pocketbase.collection, amr: amr ?? ['pwd'] },
    remembered: remember === true,
  }
}

/** A new id at every sign-in, so that nobody can fix it beforehand. The session of this browser ends in the same step. */
async function writeRow(
  { sessions, config }: IdentityServices,
  request: RequestSession,
  draft: SessionDraft,
): Promise<LiveSession> {
  const { session: old } = request
  const isOthers = old !== null && old.record.userId !== null && old.record.userId !== draft.signedIn?.user.id
  // What another user's session held must not reach this one.
  const keep = isOthers ? [] : config.keepAtLogin
  const unsaved = request.unsaved()
  const fresh = () => sessions.create({ ...draft, data: kept(keep, {}, unsaved) })
  if (old === null) return fresh()
  const live = await sessions.replace(old, (current) => ({ ...draft, data: kept(keep, current.data(), unsaved) }))
  // It ended meanwhile, by a parallel sign-in of this browser perhaps; the credentials are still right.
  return live === 'gone' ? fresh() : live
}

/** What the row holds, and over it what this request has set: a handler may fill `req.session` just before it signs in. */
function kept(
  keep: readonly string[],
  data: Readonly<Record<string, unknown>>,
  unsaved: ReadonlyMap<string, unknown>,
): Record<string, unknown> {
  const values = new Map([...Object.entries(data), ...unsaved])
  const found = keep.map((name) => [name, values.get(name)] as const)
  return Object.fromEntries(found.filter(([, value]) => value !== undefined))
}
