import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ProblemError, SessionGoneError } from '../../../server/errors.ts'
import type { PocketBasePort } from '../../../server/pocketbase/port.ts'
import { openIdentity, requestWith } from '../../support/identity.ts'
import { authenticated, userRecord } from '../../support/scripted-pocketbase.ts'
import { anonymousDraft, signedInDraft } from '../../support/session-drafts.ts'

const ANN = { identity: 'ann@example.com', password: 'right horse' }
const WRONG = { ...ANN, password: 'wrong horse' }
const userId = userRecord().id

const authWithPassword: PocketBasePort['authWithPassword'] = async ({ password }) =>
  password === ANN.password ? authenticated('a.b.c') : { kind: 'wrong' }

const code = (expected: string) => (error: unknown) => error instanceof ProblemError && error.code === expected

describe('signIn', () => {
  it('writes the row before the request hears of it', async () => {
    const { identity, sessions } = await openIdentity({ pocketbase: { authWithPassword } })
    const request = requestWith(null)
    const live = await identity.signIn(request, ANN)
    assert.deepEqual(request.told, ['adopt'])
    const found = await sessions.reload(live)
    assert.equal(found?.live?.record.userId, userId)
    assert.deepEqual(
      [found.live.token(), found.live.record.amr, found.live.record.ip],
      ['a.b.c', ['pwd'], '203.0.113.0'],
    )
  })

  it('gives a visitor with a session a new id and ends the old one', async () => {
    const { identity, sessions, seen } = await openIdentity({ pocketbase: { authWithPassword } })
    const old = await sessions.create(anonymousDraft())
    const live = await identity.signIn(requestWith(old), ANN)
    assert.notEqual(live.id, old.id)
    assert.equal((await sessions.reload(old))?.ended?.reason, 'rotated')
    const success = seen.find(({ name }) => name === 'authn_login_success')?.event
    assert.deepEqual(success, {
      userId,
      session: live.record.handle,
      ip: '203.0.113.7',
      amr: ['pwd'],
      replaced: old.record.handle,
    })
  })

  it('keeps of an anonymous session only what the app has named', async () => {
    const { identity, sessions } = await openIdentity({
      pocketbase: { authWithPassword },
      auth: { keepAtLogin: ['cart', 'none'] },
    })
    const old = await sessions.create(anonymousDraft({ data: { cart: ['tea'], role: 'admin' } }))
    const live = await identity.signIn(requestWith(old), ANN)
    assert.deepEqual({ ...live.data() }, { cart: ['tea'] })
  })

  it('carries nothing over from the session of another user', async () => {
    const { identity, sessions } = await openIdentity({
      pocketbase: { authWithPassword },
      auth: { keepAtLogin: ['cart'] },
    })
    const old = await sessions.create(signedInDraft({ userId: 'user00000000002', data: { cart: ['tea'] } }))
    const live = await identity.signIn(requestWith(old), ANN)
    assert.deepEqual({ ...live.data() }, {})
    assert.equal((await sessions.reload(old))?.ended?.reason, 'rotated')
  })

  it('loses no write to the anonymous session that comes in between', async () => {
    const { identity, sessions } = await openIdentity({
      pocketbase: {
        async authWithPassword(...input) {
          const elsewhere = await sessions.reload(old)
          if (elsewhere?.live) await sessions.update(elsewhere.live, { set: { 'data:cart': ['tea', 'milk'] } })
          return authWithPassword(...input)
        },
      },
      auth: { keepAtLogin: ['cart'] },
    })
    const old = await sessions.create(anonymousDraft({ data: { cart: ['tea'] } }))
    const live = await identity.signIn(requestWith(old), ANN)
    assert.deepEqual({ ...live.data() }, { cart: ['tea', 'milk'] })
  })

  it('signs in although the session that the browser had has ended meanwhile', async () => {
    const { identity, sessions } = await openIdentity({ pocketbase: { authWithPassword } })
    const old = await sessions.create(anonymousDraft())
    await sessions.end(old, 'logout')
    const live = await identity.signIn(requestWith(old), ANN)
    assert.ok((await sessions.reload(live))?.live)
  })

  it('refuses a sign-in during which all sessions of the user were ended, and sends no cookie', async () => {
    const { identity, sessions } = await openIdentity({
      pocketbase: {
        async authWithPassword(...input) {
          const result = await authWithPassword(...input)
          await sessions.endByUser(userId, 'password_reset')
          return result
        },
      },
    })
    const request = requestWith(null)
    await assert.rejects(
      identity.signIn(request, ANN),
      (error) => error instanceof SessionGoneError && error.reason === 'superseded',
    )
    assert.deepEqual(request.told, [])
    assert.deepEqual(await sessions.listByUser(userId), [])
  })

  it('lets a sign-in pass that began after all sessions were ended', async () => {
    const { identity, sessions } = await openIdentity({ pocketbase: { authWithPassword } })
    await sessions.endByUser(userId, 'logout_everywhere')
    await identity.signIn(requestWith(null), ANN)
    assert.equal((await sessions.listByUser(userId)).length, 1)
  })

  it('ends the oldest sessions beyond the limit', async () => {
    const { identity, sessions, clock, seen } = await openIdentity({ pocketbase: { authWithPassword } })
    const first = await identity.signIn(requestWith(null), ANN)
    for (let count = 0; count < 10; count++) {
      clock.advance(1000)
      await identity.signIn(requestWith(null), ANN)
    }
    assert.equal((await sessions.listByUser(userId)).length, 10)
    assert.equal((await sessions.reload(first))?.ended?.reason, 'evicted')
    assert.ok(seen.some(({ name }) => name === 'excess_sessions_exceeded'))
  })

  it('leaves at most the limit after 100 sign-ins at once', async () => {
    const { identity, sessions } = await openIdentity({ pocketbase: { authWithPassword } })
    await Promise.all(Array.from({ length: 100 }, () => identity.signIn(requestWith(null), ANN)))
    assert.ok((await sessions.listByUser(userId)).length <= 10)
  })

  it('gives one answer to an unknown user, a wrong password and a user who may not sign in', async () => {
    const answers = []
    for (const kind of ['wrong', 'not_allowed'] as const) {
      const { identity } = await openIdentity({ pocketbase: { authWithPassword: async () => ({ kind }) } })
      const error: unknown = await identity.signIn(requestWith(null), ANN).catch((reason: unknown) => reason)
      assert.ok(error instanceof ProblemError)
      answers.push([error.code, error.message])
    }
    assert.deepEqual(answers[0], answers[1])
    assert.equal(answers[0]?.[0], 'invalid_credentials')
  })

  it('asks for a second factor by name', async () => {
    const { identity } = await openIdentity({ pocketbase: { authWithPassword: async () => ({ kind: 'mfa' }) } })
    await assert.rejects(identity.signIn(requestWith(null), ANN), code('mfa_required'))
  })

  it('takes a token only after PocketBase has renewed it', async () => {
    const { identity, sessions } = await openIdentity({
      pocketbase: {
        authRefresh: async (token) => (token === 'good' ? authenticated('renewed') : { kind: 'rejected' }),
      },
    })
    const live = await identity.signIn(requestWith(null), { token: 'good' }, { amr: ['otp'] })
    assert.deepEqual([live.token(), live.record.amr], ['renewed', ['otp']])
    await assert.rejects(identity.signIn(requestWith(null), { token: 'bad' }), code('invalid_credentials'))
    assert.equal((await sessions.listByUser(userId)).length, 1)
  })
})

describe('the limit for wrong passwords', () => {
  it('refuses the eleventh try for an account from one address, right or wrong', async () => {
    const { identity, seen } = await openIdentity({ pocketbase: { authWithPassword } })
    for (let tries = 0; tries < 10; tries++) {
      await assert.rejects(identity.signIn(requestWith(null), WRONG), code('invalid_credentials'))
    }
    await assert.rejects(identity.signIn(requestWith(null), ANN), code('rate_limited'))
    assert.ok(seen.some(({ name }) => name === 'authn_login_fail_max'))
    await identity.signIn(requestWith(null, '198.51.100.1'), ANN)
  })

  it('never lets more than ten tries reach PocketBase, however many come at once', async () => {
    let asked = 0
    const { identity } = await openIdentity({
      pocketbase: { authWithPassword: async () => (asked++, { kind: 'wrong' }) },
    })
    await Promise.allSettled(Array.from({ length: 100 }, () => identity.signIn(requestWith(null), WRONG)))
    assert.equal(asked, 10)
  })

  it('counts passwords that bcrypt would cut without asking PocketBase', async () => {
    const { identity } = await openIdentity({ pocketbase: { authWithPassword: () => assert.fail('it asked') } })
    const long = { ...ANN, password: `${ANN.password}${'x'.repeat(80)}` }
    for (let tries = 0; tries < 10; tries++) {
      const credentials = tries % 2 === 0 ? long : { ...ANN, password: `${ANN.password}\0` }
      await assert.rejects(identity.signIn(requestWith(null), credentials), code('invalid_credentials'))
    }
    await assert.rejects(identity.signIn(requestWith(null), long), code('rate_limited'))
  })

  it('starts anew with a right password, and after 15 minutes', async () => {
    const { identity, clock } = await openIdentity({ pocketbase: { authWithPassword } })
    const fail = async (times: number) => {
      for (let tries = 0; tries < times; tries++) {
        await assert.rejects(identity.signIn(requestWith(null), WRONG), code('invalid_credentials'))
      }
    }
    await fail(9)
    await identity.signIn(requestWith(null), ANN)
    await fail(10)
    await assert.rejects(identity.signIn(requestWith(null), ANN), code('rate_limited'))
    clock.advance(900_000)
    await identity.signIn(requestWith(null), ANN)
  })

  it('refuses the fifty-first wrong password from one address, whatever the accounts', async () => {
    const { identity } = await openIdentity({ pocketbase: { authWithPassword } })
    for (let tries = 0; tries < 50; tries++) {
      const credentials = { identity: `user${tries}@example.com`, password: 'wrong horse' }
      await assert.rejects(identity.signIn(requestWith(null), credentials), code('invalid_credentials'))
    }
    await assert.rejects(identity.signIn(requestWith(null), ANN), code('rate_limited'))
  })
})
