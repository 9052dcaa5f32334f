import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { password } from '../../../../server/controllers/auth/password.ts'
import { reauthenticate } from '../../../../server/controllers/auth/reauthenticate.ts'
import type { FlowInput } from '../../../../server/controllers/flow.ts'
import { PocketBaseUnavailableError, ProblemError, SessionGoneError } from '../../../../server/errors.ts'
import type { PocketBasePort } from '../../../../server/pocketbase/port.ts'
import type { EndReason } from '../../../../server/sessions/reasons.ts'
import { openIdentity, requestWith } from '../../../support/identity.ts'
import { authenticated, userRecord } from '../../../support/scripted-pocketbase.ts'
import { signedInDraft } from '../../../support/session-drafts.ts'

const userId = userRecord().id
const BODY = { currentPassword: 'old horse', password: 'new staple', passwordConfirm: 'new staple' }

async function open(pocketbase: Partial<PocketBasePort>) {
  const opened = await openIdentity({ pocketbase })
  const live = await opened.sessions.create(signedInDraft({ data: { cart: ['tea'] } }))
  const session = requestWith(live)
  const input = (body: object): FlowInput => ({
    services: opened.services,
    session,
    body,
    params: {},
    query: {},
    form: false,
  })
  return { ...opened, live, session, input }
}

const gone = (reason: EndReason) => (error: unknown) => error instanceof SessionGoneError && error.reason === reason

describe('reauthenticate', () => {
  it('is refused when all sessions of the user were ended meanwhile', async () => {
    const { sessions, session, live, input } = await open({
      async authWithPassword() {
        await sessions.endByUser(userId, 'logout_everywhere', { except: live })
        return authenticated('a.b.c')
      },
    })
    await assert.rejects(reauthenticate(input({ password: 'old horse' })), gone('superseded'))
    assert.deepEqual(session.told, ['drop superseded'])
    assert.deepEqual(await sessions.listByUser(userId), [])
  })

  it('says why when this session was ended meanwhile, and leaves the cookie alone', async () => {
    const { sessions, session, live, input } = await open({
      async authWithPassword() {
        await sessions.end(live, 'revoked')
        return authenticated('a.b.c')
      },
    })
    await assert.rejects(reauthenticate(input({ password: 'old horse' })), gone('revoked'))
    assert.deepEqual(session.told, ['drop revoked, keep cookie'])
  })

  it('is not confirmed by the account that has the address now', async () => {
    const { session, input } = await open({
      authWithPassword: async () => authenticated('t', { id: 'user00000000002' }),
    })
    const isRefused = (error: unknown): boolean => error instanceof ProblemError && error.code === 'invalid_credentials'
    await assert.rejects(reauthenticate(input({ password: 'old horse' })), isRefused)
    assert.deepEqual(session.told, [])
  })

  it('keeps what the app had in the session', async () => {
    const { session, input } = await open({ authWithPassword: async () => authenticated('new.token') })
    await reauthenticate(input({ password: 'old horse' }))
    assert.deepEqual({ ...session.session?.data() }, { cart: ['tea'] })
    assert.equal(session.session?.token(), 'new.token')
  })
})

describe('a password change', () => {
  const changed: Partial<PocketBasePort> = {
    authWithPassword: async ({ password: typed }) => authenticated(typed === 'old horse' ? 'old.token' : 'new.token'),
    changePassword: async () => ({ kind: 'ok', value: undefined }),
  }

  it('moves the session before PocketBase hears of it, and answers the request last', async () => {
    const { sessions, live, session, input } = await open({
      ...changed,
      async changePassword({ token }) {
        assert.equal(token, 'old.token')
        assert.equal((await sessions.reload(live))?.ended?.reason, 'rotated')
        assert.deepEqual(session.told, [])
        return { kind: 'ok', value: undefined }
      },
    })
    await password(input(BODY))
    assert.deepEqual(session.told, ['adopt'])
    assert.equal(session.session?.token(), 'new.token')
  })

  it('keeps the user signed in when PocketBase goes away in the middle', async () => {
    const { sessions, session, input } = await open({
      ...changed,
      changePassword: () => Promise.reject(new PocketBaseUnavailableError(new Error('down'))),
    })
    await assert.rejects(password(input(BODY)), PocketBaseUnavailableError)
    assert.deepEqual(session.told, ['adopt'])
    assert.ok(session.session && (await sessions.reload(session.session))?.live)
  })

  it('ends the other sessions also when PocketBase goes away before it gives a new token', async () => {
    const { sessions, session, input } = await open({
      ...changed,
      authWithPassword: ({ password: typed }) =>
        typed === 'old horse'
          ? Promise.resolve(authenticated('old.token'))
          : Promise.reject(new PocketBaseUnavailableError(new Error('down'))),
    })
    const other = await sessions.create(signedInDraft())
    await assert.rejects(password(input(BODY)), PocketBaseUnavailableError)
    assert.equal((await sessions.reload(other))?.ended?.reason, 'password_changed')
    assert.deepEqual(session.told, ['adopt'])
  })

  it('ends this session, and no other, when its token was refused', async () => {
    const { sessions, session, input } = await open({ ...changed, changePassword: async () => ({ kind: 'rejected' }) })
    const other = await sessions.create(signedInDraft())
    await assert.rejects(password(input(BODY)), gone('password_changed'))
    assert.deepEqual(session.told, ['drop password_changed'])
    assert.ok((await sessions.reload(other))?.live)
  })

  it('brings nothing back to life when all sessions are ended in the middle', async () => {
    const { sessions, session, input } = await open({
      ...changed,
      async changePassword() {
        await sessions.endByUser(userId, 'logout_everywhere')
        return { kind: 'ok', value: undefined }
      },
    })
    await assert.rejects(password(input(BODY)), gone('logout_everywhere'))
    assert.deepEqual(session.told, ['drop logout_everywhere, keep cookie'])
    assert.deepEqual(await sessions.listByUser(userId), [])
  })
})
