import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { PocketBaseUnavailableError } from '../../../server/errors.ts'
import type { PocketBasePort, RefreshResult } from '../../../server/pocketbase/port.ts'
import { openIdentity, requestWith } from '../../support/identity.ts'
import { authenticated } from '../../support/scripted-pocketbase.ts'
import { signedInDraft } from '../../support/session-drafts.ts'

const NOW = { maxAgeMs: 0, waitMs: 5000 }
const down = (): Promise<never> => Promise.reject(new PocketBaseUnavailableError(new Error('down')))

async function open(authRefresh: PocketBasePort['authRefresh']) {
  const opened = await openIdentity({ pocketbase: { authRefresh } })
  return { ...opened, live: await opened.sessions.create(signedInDraft()) }
}

/** Answers that the test gives when it likes. */
function byHand() {
  const asked: string[] = []
  const answers: ((result: RefreshResult) => void)[] = []
  const authRefresh: PocketBasePort['authRefresh'] = (token) => {
    asked.push(token)
    return new Promise((resolve) => answers.push(resolve))
  }
  return { asked, answer: (result: RefreshResult) => answers.shift()?.(result), authRefresh }
}

describe('revalidate', () => {
  it('asks nobody while the last check is young enough', async () => {
    const { identity, live, clock } = await open(() => assert.fail('it asked'))
    clock.advance(59_999)
    assert.equal(await identity.revalidate(requestWith(live), { maxAgeMs: 60_000, waitMs: 1000 }), 'valid')
  })

  it('writes the new token and the user as PocketBase knows them now', async () => {
    const { identity, live, sessions, clock } = await open(async () => authenticated('new.token', { role: 'admin' }))
    clock.advance(60_000)
    const request = requestWith(live)
    assert.equal(await identity.revalidate(request, { maxAgeMs: 60_000, waitMs: 1000 }), 'valid')
    assert.equal(request.user?.role, 'admin')
    const found = await sessions.reload(live)
    assert.equal(found?.live?.token(), 'new.token')
    assert.equal(found?.live?.record.validatedAt, clock.now())
  })

  it('makes one check for all requests of a session, and all of them see its outcome', async () => {
    const hand = byHand()
    const { identity, live, sessions } = await open(hand.authRefresh)
    const found = await sessions.reload(live)
    assert.ok(found?.live)
    const requests = [requestWith(live), requestWith(found.live)]
    const checks = requests.map((request) => identity.revalidate(request, NOW))
    hand.answer(authenticated('new.token', { role: 'editor' }))
    assert.deepEqual(await Promise.all(checks), ['valid', 'valid'])
    assert.equal(hand.asked.length, 1)
    assert.deepEqual(
      requests.map((request) => request.user?.role),
      ['editor', 'editor'],
    )
    assert.deepEqual(
      requests.map((request) => request.session?.token()),
      ['new.token', 'new.token'],
    )
  })

  it('goes on stale when the answer takes too long, and uses it when it comes', async () => {
    const hand = byHand()
    const { identity, live, sessions, clock } = await open(hand.authRefresh)
    clock.advance(1)
    const request = requestWith(live)
    assert.equal(await identity.revalidate(request, { maxAgeMs: 0, waitMs: 1 }), 'stale')
    assert.equal(request.stale, true)
    const joined = identity.revalidate(requestWith(live), NOW)
    hand.answer(authenticated('late.token'))
    assert.equal(await joined, 'valid')
    assert.equal((await sessions.reload(live))?.live?.token(), 'late.token')
  })

  it('leaves a request alone that only wants a check to be started', async () => {
    const hand = byHand()
    const { identity, live } = await open(hand.authRefresh)
    const request = requestWith(live)
    await identity.revalidate(request, { maxAgeMs: 0, waitMs: 0 })
    assert.deepEqual([hand.asked.length, request.told], [1, []])
  })

  it('ends this one session when PocketBase refuses its token', async () => {
    const { identity, live, sessions } = await open(async () => ({ kind: 'rejected' }))
    const other = await sessions.create(signedInDraft())
    const request = requestWith(live)
    assert.equal(await identity.revalidate(request, NOW), 'ended')
    assert.deepEqual(request.told, ['drop token_rejected'])
    assert.equal((await sessions.reload(live))?.ended?.reason, 'token_rejected')
    assert.ok((await sessions.reload(other))?.live)
  })

  it('asks again with the newer token when another request has stored one meanwhile', async () => {
    const asked: string[] = []
    const { identity, live, sessions } = await open(async (token) => {
      asked.push(token)
      if (token === 'newer.token') return authenticated('newest.token')
      const elsewhere = await sessions.reload(live)
      assert.ok(elsewhere?.live)
      await sessions.update(elsewhere.live, { set: { token: 'newer.token' } })
      return { kind: 'rejected' }
    })
    assert.equal(await identity.revalidate(requestWith(live), NOW), 'valid')
    assert.deepEqual(asked, ['a.b.c', 'newer.token'])
    assert.equal((await sessions.reload(live))?.live?.token(), 'newest.token')
  })

  it('ends all sessions of a user whom PocketBase lets in no more', async () => {
    const { identity, live, sessions } = await open(async () => ({ kind: 'not_allowed' }))
    const other = await sessions.create(signedInDraft())
    assert.equal(await identity.revalidate(requestWith(live), NOW), 'ended')
    assert.equal((await sessions.reload(other))?.ended?.reason, 'account_disabled')
  })

  it('never takes the answer about another user for its own', async () => {
    const { identity, live, sessions } = await open(async () => authenticated('t', { id: 'user00000000002' }))
    assert.equal(await identity.revalidate(requestWith(live), NOW), 'ended')
    assert.equal((await sessions.reload(live))?.ended?.reason, 'token_rejected')
  })

  it('keeps the cookie of a session that somebody else has ended', async () => {
    const hand = byHand()
    const { identity, live, sessions } = await open(hand.authRefresh)
    const request = requestWith(live)
    const check = identity.revalidate(request, NOW)
    await sessions.end(live, 'logout')
    hand.answer(authenticated('new.token'))
    assert.equal(await check, 'ended')
    assert.deepEqual(request.told, ['drop logout, keep cookie'])
  })
})

describe('revalidate during an outage', () => {
  it('ends nothing, however long it lasts', async () => {
    const { identity, live, sessions, clock } = await open(down)
    for (let minute = 0; minute < 60; minute++) {
      clock.advance(60_000)
      assert.equal(await identity.revalidate(requestWith(live), NOW), 'stale')
    }
    assert.ok((await sessions.reload(live))?.live)
  })

  it('sends one probe every five seconds and answers everybody else at once', async () => {
    let asked = 0
    const { identity, live, sessions, clock } = await open(() => {
      asked++
      return down()
    })
    const lives = [live, await sessions.create(signedInDraft()), await sessions.create(signedInDraft())]
    const everybody = () => Promise.all(lives.map((live) => identity.revalidate(requestWith(live), NOW)))
    await everybody()
    asked = 0
    await everybody()
    assert.equal(asked, 0)
    clock.advance(5000)
    assert.deepEqual(new Set(await everybody()), new Set(['stale']))
    assert.equal(asked, 1)
  })

  it('is over for everybody with the first answer, and says once that it began', async () => {
    let up = false
    const { identity, live, sessions, clock, seen } = await open(() =>
      up ? Promise.resolve(authenticated('new.token')) : down(),
    )
    const other = await sessions.create(signedInDraft())
    await identity.revalidate(requestWith(live), NOW)
    clock.advance(5000)
    await identity.revalidate(requestWith(live), NOW)
    up = true
    clock.advance(5000)
    assert.equal(await identity.revalidate(requestWith(live), NOW), 'valid')
    assert.equal(await identity.revalidate(requestWith(other), NOW), 'valid')
    assert.equal(seen.filter(({ name }) => name === 'pocketbase_unavailable').length, 1)
  })

  it('lets the next one probe when a probe fails for another reason', async () => {
    let answer: () => Promise<RefreshResult> = down
    const { identity, live, clock } = await open(() => answer())
    await identity.revalidate(requestWith(live), NOW)
    clock.advance(5000)
    answer = () => Promise.reject(new TypeError('a defect'))
    await assert.rejects(identity.revalidate(requestWith(live), NOW), TypeError)
    answer = async () => authenticated('new.token')
    assert.equal(await identity.revalidate(requestWith(live), NOW), 'valid')
  })
})
