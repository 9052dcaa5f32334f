import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError, StoreUnavailableError } from '../../../server/errors.ts'
import { openIdentity, requestWith } from '../../support/identity.ts'
import { userRecord } from '../../support/scripted-pocketbase.ts'
import { anonymousDraft, signedInDraft } from '../../support/session-drafts.ts'

const userId = userRecord().id

async function open() {
  const opened = await openIdentity({ pocketbase: {} })
  const { sessions } = opened
  return { ...opened, own: await sessions.create(signedInDraft()), other: await sessions.create(signedInDraft()) }
}

describe('signOut', () => {
  it('ends this session and no other', async () => {
    const { identity, sessions, own, other } = await open()
    const request = requestWith(own)
    await identity.signOut(request)
    assert.equal((await sessions.reload(own))?.ended?.reason, 'logout')
    assert.ok((await sessions.reload(other))?.live)
    assert.deepEqual(request.told, ['drop logout'])
  })

  it('has nothing to do without a session, and leaves the cookie alone', async () => {
    const { identity } = await open()
    const request = requestWith(null)
    await identity.signOut(request)
    assert.deepEqual(request.told, [])
  })

  it('does not say that somebody is signed out where the store could not be asked', async () => {
    const { identity } = await open()
    const request = {
      ...requestWith(null),
      state: 'unknown' as const,
      error: new StoreUnavailableError(new Error('x')),
    }
    await assert.rejects(identity.signOut(request), StoreUnavailableError)
  })
})

describe('signOutEverywhere', () => {
  it('ends all sessions of the user, this one too, and those of nobody else', async () => {
    const { identity, sessions, own, other } = await open()
    const stranger = await sessions.create(signedInDraft({ userId: 'user00000000002' }))
    const request = requestWith(own)
    assert.equal(await identity.signOutEverywhere(request), 2)
    assert.deepEqual(request.told, ['drop logout_everywhere'])
    assert.equal((await sessions.reload(other))?.ended?.reason, 'logout_everywhere')
    assert.ok((await sessions.reload(stranger))?.live)
  })

  it('is for signed-in users', async () => {
    const { identity, sessions } = await open()
    const visitor = await sessions.create(anonymousDraft())
    for (const live of [null, visitor]) {
      const isRefused = (error: unknown): boolean => error instanceof ProblemError && error.code === 'unauthenticated'
      await assert.rejects(identity.signOutEverywhere(requestWith(live)), isRefused)
    }
  })
})

describe('revokeOthers', () => {
  it('ends all sessions of the user but this one', async () => {
    const { identity, sessions, own, other } = await open()
    const request = requestWith(own)
    assert.equal(await identity.revokeOthers(request), 1)
    assert.deepEqual(request.told, [])
    assert.equal((await sessions.reload(other))?.ended?.reason, 'revoked')
    assert.deepEqual(
      (await sessions.listByUser(userId)).map(({ handle }) => handle),
      [own.record.handle],
    )
  })
})
