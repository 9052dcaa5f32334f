// What a stolen store shows: written through the session manager, looked for byte by byte.

import assert from 'node:assert/strict'
import { Secrets } from '../sessions/secrets.ts'
import { Sessions } from '../sessions/manager.ts'
import { holds } from './holds.ts'
import { DAY, HOUR } from './sample-session.ts'
import type { StoreCase, StoreCaseContext } from './store-case.ts'

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6InNlY3JldC10b2tlbiJ9.c2lnbmF0dXJlLW9mLXRva2Vu'
const EMAIL = 'ann.secret@example.com'
const APP_DATA = 'a parcel of books for the neighbour'
const SECRET = 'a secret of the server, 32 bytes or longer'

export const secrecyCases: readonly StoreCase[] = [
  {
    name: 'no byte of the store shows an id, a token, an e-mail address or app data',
    needs: 'dump',
    async run(context) {
      const sessions = openSessions(context)
      const user = { id: 'user00000000001', email: EMAIL }
      const signedIn = {
        user,
        token: TOKEN,
        tokenExpiresAt: context.clock.now() + DAY,
        collection: 'users',
        amr: ['pwd'],
      }
      const about = { remembered: false, device: 'Firefox on Linux', ip: '192.0.2.0' }
      const session = await sessions.create({ ...about, data: { cart: APP_DATA }, signedIn })
      assert.equal(await sessions.update(session, { set: { 'data:note': APP_DATA } }), 'ok')
      const next = await sessions.replace(session, () => ({ ...about, data: { cart: APP_DATA }, signedIn }))
      assert.ok(next !== 'gone')

      const dump = await context.dump()
      assert.ok(holds(dump, next.record.handle), 'dump() does not show what the store holds')
      for (const secret of [session.id, next.id, TOKEN, EMAIL, APP_DATA, SECRET, sessions.cookieValue(next.id)]) {
        assert.ok(!holds(dump, secret), `the store shows ${secret}`)
      }
      // The tag, which an id and its key share, is no secret; the rest of the id is.
      assert.ok(!holds(dump, next.id.slice(3)), 'the store shows the random part of an id')
    },
  },
]

function openSessions({ store, clock }: StoreCaseContext): Sessions {
  return new Sessions({
    store,
    secrets: new Secrets([SECRET]),
    cookieName: 'session',
    timeoutMs: 5000,
    now: clock.now,
    report: () => {},
    policy: {
      idleTimeoutMs: 2 * HOUR,
      absoluteTimeoutMs: DAY,
      rememberIdleTimeoutMs: 14 * DAY,
      rememberAbsoluteTimeoutMs: 30 * DAY,
      touchIntervalMs: HOUR,
      freshForMs: HOUR,
      maxPerUser: 10,
    },
  })
}
