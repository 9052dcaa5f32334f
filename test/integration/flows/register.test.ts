import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../../support/app.ts'
import { fieldsOf, newEmail, newPerson, PASSWORD, problem, sessionCookie, stateOf } from '../../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../../support/pocketbase.ts'

let pocketbase: TestPocketBase
let app: StartedApp

const input = (email: string, change: object = {}) => ({
  email,
  password: PASSWORD,
  passwordConfirm: PASSWORD,
  profile: { displayName: 'Ann', bio: 'Likes tea' },
  ...change,
})

async function userCount(email: string): Promise<number> {
  const admin = await pocketbase.admin.client()
  const found = await admin.collection('users').getList(1, 2, { filter: admin.filter('email = {:email}', { email }) })
  return found.totalItems
}

before(async () => {
  pocketbase = await startPocketBase()
  app = await startApp({ pocketbase: pocketbase.url })
})

after(async () => {
  await app?.close()
  await pocketbase?.stop()
})

describe('POST /auth/register', () => {
  it('creates user and profile, and signs in', async () => {
    const email = newEmail()
    const browser = app.browser()
    const answer = await browser.json('/auth/register', input(email))
    assert.equal(answer.status, 201)
    const { user, session } = answer.json() as { user: Record<string, unknown>; session: Record<string, unknown> }
    assert.deepEqual([user['email'], user['role'], user['verified']], [email, 'user', false])
    assert.deepEqual(Object.keys(session).toSorted(), [
      'amr',
      'authTime',
      'createdAt',
      'expiresAt',
      'id',
      'idleExpiresAt',
    ])
    assert.equal(await stateOf(browser), 'signed in')
    const admin = await pocketbase.admin.client()
    const profile = await admin.collection('profiles').getFirstListItem(`user = "${String(user['id'])}"`)
    assert.deepEqual([profile['displayName'], profile['bio']], ['Ann', 'Likes tea'])
    assert.ok(app.events.some(({ name, event }) => name === 'user_created' && event['userId'] === user['id']))
  })

  it('makes a profile with a name from the address where none was sent', async () => {
    const email = newEmail('nameless')
    const answer = await app.browser().json('/auth/register', input(email, { profile: undefined }))
    assert.equal(answer.status, 201)
    const { user } = answer.json() as { user: Record<string, unknown> }
    const admin = await pocketbase.admin.client()
    const profile = await admin.collection('profiles').getFirstListItem(`user = "${String(user['id'])}"`)
    assert.equal(profile['displayName'], email.split('@')[0])
  })

  it('refuses a taken address at its field, whatever its case', async () => {
    const { email } = await newPerson(app)
    const browser = app.browser()
    const answer = await browser.json('/auth/register', input(email.toUpperCase()))
    assert.equal(problem(answer), '422 invalid_input')
    assert.deepEqual(fieldsOf(answer), ['email'])
    assert.equal(await stateOf(browser), null)
  })

  it('leaves no user behind when PocketBase refuses the profile', async () => {
    const email = newEmail()
    const answer = await app.browser().json('/auth/register', input(email, { profile: { displayName: '' } }))
    assert.equal(problem(answer), '422 invalid_input')
    assert.deepEqual(fieldsOf(answer), ['profile.displayName'])
    assert.equal(await userCount(email), 0)
  })

  it('refuses whatever a visitor may not set, and creates nobody', async () => {
    for (const more of [
      { role: 'admin' },
      { verified: true },
      { 'role+': 'admin' },
      { tokenKey: 'x' },
      { id: 'x' },
      { emailVisibility: true },
    ]) {
      const email = newEmail()
      const answer = await app.browser().json('/auth/register', input(email, more))
      assert.equal(problem(answer), '422 invalid_input')
      assert.deepEqual(fieldsOf(answer), Object.keys(more))
      assert.equal(await userCount(email), 0)
    }
    const profile = { displayName: 'Ann', user: 'x' }
    const nested = await app.browser().json('/auth/register', input(newEmail(), { profile }))
    assert.deepEqual(fieldsOf(nested), ['profile.user'])
  })

  it('names every field of a wrong type', async () => {
    const wrong = { email: 7, password: ['x'], passwordConfirm: null, profile: { displayName: {} } }
    const answer = await app.browser().json('/auth/register', wrong)
    assert.deepEqual(fieldsOf(answer), ['email', 'password', 'passwordConfirm', 'profile.displayName'])
    assert.deepEqual(fieldsOf(await app.browser().json('/auth/register', input(newEmail(), { profile: 'x' }))), [
      'profile',
    ])
  })

  it('refuses passwords that are short, differ, or would be cut by bcrypt', async () => {
    const refused = async (password: string, passwordConfirm = password) =>
      fieldsOf(await app.browser().json('/auth/register', input(newEmail(), { password, passwordConfirm })))
    assert.deepEqual(await refused('short'), ['password'])
    assert.deepEqual(await refused(PASSWORD, 'another one'), ['passwordConfirm'])
    assert.deepEqual(await refused('x'.repeat(73)), ['password'])
    assert.deepEqual(await refused(`${PASSWORD}\0`), ['password'])
  })

  it('takes a form, and says what is wrong on the page with what was typed', async () => {
    const browser = app.browser()
    const fields = { email: newEmail(), password: PASSWORD, passwordConfirm: PASSWORD, 'profile.displayName': 'Ann' }
    const wrong = await browser.form('/auth/register', { ...fields, passwordConfirm: 'typo' })
    assert.equal(wrong.status, 422)
    assert.match(wrong.text, new RegExp(fields.email))
    assert.ok(!wrong.text.includes(PASSWORD))
    const answer = await browser.form('/auth/register', fields)
    assert.deepEqual([answer.status, answer.headers.location?.split('?')[0]], [303, '/account'])
    assert.equal(await stateOf(browser), 'signed in')
  })

  it('gives a browser with a session a new one', async () => {
    const { browser } = await newPerson(app)
    const old = sessionCookie(browser)
    assert.equal((await browser.json('/auth/register', input(newEmail()))).status, 201)
    assert.notEqual(sessionCookie(browser), old)
  })

  it('makes one account of 20 registrations for one address at once', async () => {
    const email = newEmail()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => app.browser().json('/auth/register', input(email))),
    )
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [201, ...Array.from({ length: 19 }, () => 422)],
    )
    assert.equal(await userCount(email), 1)
  })
})

describe('registration by mail first', () => {
  it('answers the same for known and unknown addresses, signs nobody in, and still creates the account', async () => {
    const first = await startApp({ pocketbase: pocketbase.url, registration: 'verify-first' })
    try {
      const known = await newPerson(app)
      const email = newEmail()
      const browsers = [first.browser(), first.browser(), first.browser()] as const
      const answers = [
        await browsers[0].json('/auth/register', input(email)),
        await browsers[1].json('/auth/register', input(known.email)),
        await browsers[2].json('/auth/register', input(known.email, { profile: { displayName: '' } })),
      ]
      for (const answer of answers) {
        assert.deepEqual([answer.status, answer.text, answer.cookies], [202, answers[0]?.text, []])
      }
      assert.deepEqual(await Promise.all(browsers.map(stateOf)), [null, null, null])
      assert.equal(await userCount(email), 1)
    } finally {
      await first.close()
    }
  })

  it('says what is wrong with the password all the same', async () => {
    const first = await startApp({ pocketbase: pocketbase.url, registration: 'verify-first' })
    try {
      const answer = await first
        .browser()
        .json('/auth/register', input(newEmail(), { password: 'x', passwordConfirm: 'x' }))
      assert.deepEqual(fieldsOf(answer), ['password'])
    } finally {
      await first.close()
    }
  })
})

describe('closed registration', () => {
  it('is not found', async () => {
    const closed = await startApp({ pocketbase: pocketbase.url, registration: 'closed' })
    try {
      assert.equal(problem(await closed.browser().json('/auth/register', input(newEmail()))), '404 not_found')
    } finally {
      await closed.close()
    }
  })
})
