// The attacker has a copy of the session database, then the secret too, then may write into it.

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import { unseal } from '../../server/lib/seal.ts'
import { cookieValue } from '../../server/sessions/cookie.ts'
import { fieldKey, Secrets } from '../../server/sessions/secrets.ts'
import { packFields, unpackFields } from '../../server/stores/pack-fields.ts'
import { startApp, TEST_SECRET, type StartedApp } from '../support/app.ts'
import { newPerson, PASSWORD, problem, stateOf, type Person } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { assertOpensNothing, browserWithCookie, stealCookies } from '../support/stolen-cookies.ts'

interface Row {
  readonly key: string
  readonly handle: string
  readonly userId: string
  readonly fields: Uint8Array
}

const folder = mkdtempSync(join(tmpdir(), 'stolen-store-'))
const file = join(folder, 'sessions.db')
let pocketbase: TestPocketBase
let app: StartedApp
let database: DatabaseSync
let victim: Person
let attacker: Person

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({ pocketbase: pocketbase.url, store: `sqlite:${file}` })
  database = new DatabaseSync(file)
})

beforeEach(async () => {
  victim = await newPerson(app, 'victim')
  attacker = await newPerson(app, 'attacker')
  app.events.splice(0)
})

after(async () => {
  database?.close()
  await app?.close()
  await pocketbase?.stop()
  rmSync(folder, { recursive: true, force: true })
})

const text = (value: SQLOutputValue | undefined): string => String(value)

function rowOf({ userId }: Person): Row {
  const row = database
    .prepare('SELECT key, handle, user_id, fields FROM sessions WHERE user_id = ? AND end_reason IS NULL')
    .get(userId)
  const fields = row?.['fields']
  assert.ok(fields instanceof Uint8Array)
  return { key: text(row?.['key']), handle: text(row?.['handle']), userId: text(row?.['user_id']), fields }
}

function writeFields({ key }: Row, fields: ReadonlyMap<string, Uint8Array>): void {
  database.prepare('UPDATE sessions SET fields = ? WHERE key = ?').run(packFields(fields), key)
}

/** A session that ended as one that cannot be read; nothing of it was shown. */
async function assertDamaged(person: Person): Promise<void> {
  const answer = await person.browser.get('/account')
  assert.equal(problem(answer), '401 session_expired')
  assert.equal(answer.json()['reason'], 'damaged')
  assert.doesNotMatch(answer.text, /@example/)
  assert.ok(app.events.some(({ name }) => name === 'crypt_decrypt_fail'))
  await assertOpensNothing(app, stealCookies(app, person.browser), 'damaged')
}

describe('a copy of the database', () => {
  it('shows no token, no e-mail address, no name and no id of a cookie', () => {
    const bytes = Buffer.concat(readdirSync(folder).map((each) => readFileSync(join(folder, each)))).toString('latin1')
    const id = /s%3A([\w-]{46})/.exec(victim.browser.cookieHeader('/'))?.[1] ?? '?'
    for (const secret of ['eyJhbGci', victim.email, 'displayName', 'collectionName', id, id.slice(3)]) {
      assert.ok(!bytes.includes(secret), secret)
    }
    assert.ok(bytes.includes(victim.userId), 'there is something to search in')
  })

  it('opens no session: neither key nor handle is a cookie, not even well signed', async () => {
    const { key, handle } = rowOf(victim)
    const secrets = new Secrets([TEST_SECRET])
    for (const id of [key, handle.padEnd(46, 'A'), key.slice(3).padEnd(46, 'A')]) {
      for (const value of [id, `s%3A${id}`, cookieValue(secrets, id)]) {
        await assertOpensNothing(app, browserWithCookie(app, value), null)
      }
    }
  })

  it('opens no field, even with the secret: the id of the cookie is needed too', () => {
    const { key, handle, userId, fields } = rowOf(victim)
    const secrets = new Secrets([TEST_SECRET])
    for (const [name, envelope] of unpackFields(fields)) {
      for (const guess of [key, handle, userId, '', TEST_SECRET]) {
        for (const context of [JSON.stringify([key, userId, name]), name, key, '']) {
          assert.equal(unseal(fieldKey(secrets.newest, guess), envelope, context), null)
        }
      }
    }
  })

  it('names no accounts in its counters of wrong passwords', async () => {
    await app.browser().login(victim.email, 'guessed wrong')
    const names = database
      .prepare('SELECT name FROM counters')
      .all()
      .map((row) => text(row['name']))
    assert.ok(names.some((name) => name.startsWith('login:account:')))
    assert.ok(!names.some((name) => name.includes('@') || name.includes('victim')))
  })
})

describe('somebody who may write into the database', () => {
  it('puts the victim’s fields into a session of their own: it ends', async () => {
    writeFields(rowOf(attacker), unpackFields(rowOf(victim).fields))
    await assertDamaged(attacker)
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('puts their own fields into the victim’s session: it ends, and the victim is nobody else', async () => {
    writeFields(rowOf(victim), unpackFields(rowOf(attacker).fields))
    await assertDamaged(victim)
  })

  it('moves a field to another name in the same row: it ends', async () => {
    const row = rowOf(attacker)
    const fields = unpackFields(row.fields)
    const token = fields.get('token') ?? new Uint8Array()
    writeFields(row, new Map([...fields, ['user', token]]))
    await assertDamaged(attacker)
  })

  it('gives a session of their own the id of the victim: it ends', async () => {
    database.prepare('UPDATE sessions SET user_id = ? WHERE key = ?').run(victim.userId, rowOf(attacker).key)
    await assertDamaged(attacker)
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('turns one bit of a field: the session ends', async () => {
    const row = rowOf(attacker)
    const fields = new Map([...unpackFields(row.fields)].map(([name, value]) => [name, value.slice()]))
    const user = fields.get('user')
    assert.ok(user)
    user[user.length - 1] = (user[user.length - 1] ?? 0) ^ 1
    writeFields(row, fields)
    await assertDamaged(attacker)
  })

  it('brings an ended session back: it has nothing left to be anybody with', async () => {
    const thief = stealCookies(app, victim.browser)
    const { key } = rowOf(victim)
    await victim.browser.json('/auth/logout')
    database.prepare('UPDATE sessions SET end_reason = NULL, ended_at = NULL WHERE key = ?').run(key)
    for (const path of ['/account', '/auth/sessions', '/admin']) {
      assert.ok([401, 503].includes((await thief.get(path)).status), path)
    }
    assert.doesNotMatch((await thief.get('/auth/status')).text, /@example|"authenticated":true/)
  })

  it('copies the whole row of the victim under a key of their own: it cannot be opened', async () => {
    const own = rowOf(attacker)
    const { key, fields } = rowOf(victim)
    database.prepare('UPDATE sessions SET user_id = ?, fields = ? WHERE key = ?').run(victim.userId, fields, own.key)
    await assertDamaged(attacker)
    assert.notEqual(key, own.key)
  })

  it('takes the fields away: nobody is signed in, and nobody sees an error of ours', async () => {
    writeFields(rowOf(attacker), new Map())
    const answer = await attacker.browser.get('/account')
    assert.equal(answer.status, 401)
    const page = await attacker.browser.page('/account')
    assert.equal(page.status, 303)
  })

  it('writes nonsense into the fields: 503 or signed out, never somebody', async () => {
    const { key } = rowOf(attacker)
    for (const nonsense of [
      Buffer.from([1]),
      Buffer.from('nonsense'),
      Buffer.alloc(0),
      Buffer.from([1, 255, 255, 0]),
      Buffer.alloc(5000, 1),
    ]) {
      database.prepare('UPDATE sessions SET fields = ? WHERE key = ?').run(nonsense, key)
      const answer = await attacker.browser.get('/account')
      assert.ok([401, 503].includes(answer.status), `${nonsense.toString('hex').slice(0, 20)}: ${answer.status}`)
    }
    assert.equal(await stateOf(victim.browser), 'signed in')
  })

  it('keeps the victim’s old cookie and secret: after a change of secret the old one opens nothing', async () => {
    const thief = stealCookies(app, victim.browser)
    const changed = await startApp({
      pocketbase: pocketbase.url,
      store: `sqlite:${file}`,
      secret: `changed-${TEST_SECRET}`,
      cookie: { name: app.services.config.cookie.name },
    })
    try {
      const stolen = stealCookies(changed, thief)
      await assertOpensNothing(changed, stolen, null)
      assert.equal((await stolen.login(victim.email, PASSWORD)).status, 200)
    } finally {
      await changed.close()
    }
  })
})
