import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { describe, test } from 'node:test'
import { buildSession, type SessionDraft } from '../../../server/sessions/draft.ts'
import { LiveSession, SealBrokenError } from '../../../server/sessions/live-session.ts'
import { Secrets } from '../../../server/sessions/secrets.ts'
import { policy, signedInDraft } from '../../support/session-drafts.ts'

const OLD = 'o'.repeat(40)
const NEW = 'n'.repeat(40)
const secrets = new Secrets([OLD])

function build(draft: SessionDraft = signedInDraft()): LiveSession {
  return buildSession(draft, { secrets, policy, now: 1000 })
}

function withFields(session: LiveSession, fields: ReadonlyMap<string, Uint8Array>, id = session.id): LiveSession {
  return new LiveSession(id, { ...session.record, fields }, secrets)
}

describe('live session', () => {
  test('opens what was sealed: user, token and the fields of req.session', () => {
    const session = build(signedInDraft({ data: { cart: [1, 2], theme: 'dark' } }))
    assert.equal(session.user()?.['email'], 'ann@example.com')
    assert.equal(session.token(), 'a.b.c')
    assert.deepEqual({ ...session.data() }, { cart: [1, 2], theme: 'dark' })
  })

  test('shows nothing of them, nor the id, in its record', () => {
    const session = build(signedInDraft({ data: { note: 'top secret' } }))
    const bytes = Buffer.concat([Buffer.from(JSON.stringify(session.record)), ...session.record.fields.values()])
    for (const hidden of [session.id, session.id.slice(3), 'ann@example.com', 'a.b.c', 'top secret']) {
      assert.equal(bytes.includes(hidden), false, hidden)
    }
  })

  test('does not open a value that was moved to another field, row or user', () => {
    const session = build()
    const user = session.record.fields.get('user') ?? Buffer.alloc(0)
    assert.throws(() => withFields(session, new Map([['token', user]])).token(), SealBrokenError)

    const other = build()
    const swapped = withFields(other, session.record.fields)
    assert.throws(() => swapped.user(), SealBrokenError)

    const promoted = new LiveSession(session.id, { ...session.record, userId: 'someone-else' }, secrets)
    assert.throws(() => promoted.user(), SealBrokenError)
  })

  test('does not open with the row and the secret alone: the cookie is needed', () => {
    const session = build()
    const thief = new LiveSession(build().id, session.record, secrets)
    assert.throws(() => thief.token(), SealBrokenError)
  })

  test('knows which fields are sealed under an older or a retired secret', () => {
    const session = build()
    const later = new LiveSession(session.id, session.record, new Secrets([NEW, OLD]))
    assert.deepEqual(later.outdatedFields().sort(), ['token', 'user'])
    assert.equal(later.hasRetiredSecret(), false)
    assert.equal(later.token(), 'a.b.c')
    assert.equal(new LiveSession(session.id, session.record, new Secrets([NEW])).hasRetiredSecret(), true)
  })

  test('gives out a frozen user', () => {
    const user = build().user()
    assert.ok(user !== null && Object.isFrozen(user))
    assert.ok(Object.isFrozen(user['tags']))
  })

  test('keeps a field of any name, without touching prototypes', () => {
    const data = JSON.parse('{"__proto__": {"admin": true}, "constructor": 1, "a.b$c": 2}') as Record<string, unknown>
    const opened = build(signedInDraft({ data })).data()
    assert.deepEqual(Object.keys(opened).sort(), ['__proto__', 'a.b$c', 'constructor'])
    assert.equal(Object.getPrototypeOf(opened), null)
    assert.equal(({} as Record<string, unknown>)['admin'], undefined)
  })

  test('prints only its public handle', () => {
    const session = build()
    for (const text of [inspect(session, { depth: 9, showHidden: true }), JSON.stringify(session), String(session)]) {
      assert.equal(text.includes(session.id), false)
      assert.equal(text.includes('a.b.c'), false)
    }
    assert.match(inspect(session), new RegExp(session.record.handle))
  })
})
