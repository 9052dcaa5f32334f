// The attacker guesses passwords: many for one account, one for many accounts, from addresses that only look different.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { startApp, type StartedApp } from '../support/app.ts'
import type { SeenAnswer } from '../support/browser-client.ts'
import { NEW_PASSWORD, newEmail, newPerson, PASSWORD, problem, stateOf } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { stealCookies } from '../support/stolen-cookies.ts'

type Headers = Readonly<Record<string, string>>

const WINDOW = 15 * 60_000
const PER_ACCOUNT = 10
const PER_ADDRESS = 50

let pocketbase: TestPocketBase
/** Nothing in front. */
let direct: StartedApp
/** One proxy in front, which appends the address that it sees. */
let proxied: StartedApp

before(async () => {
  pocketbase = await startPocketBase()
  direct = await startApp({ pocketbase: pocketbase.url })
  proxied = await startApp({ pocketbase: pocketbase.url, trustProxy: 1 })
})

after(async () => {
  await direct?.close()
  await proxied?.close()
  await pocketbase?.stop()
})

interface Guess {
  readonly identity: string
  readonly password?: string
  readonly headers?: Headers
}

/** A guess from a fresh browser, sent on with these headers. */
async function guess(
  app: StartedApp,
  { identity, password = 'guessed wrong', headers = {} }: Guess,
): Promise<SeenAnswer> {
  return app.browser(headers).login(identity, password)
}

async function exhaust(
  app: StartedApp,
  identity: string,
  headersOf: (count: number) => Headers = () => ({}),
): Promise<void> {
  for (let count = 0; count < PER_ACCOUNT; count++) {
    assert.equal(
      problem(await guess(app, { identity, headers: headersOf(count) })),
      '401 invalid_credentials',
      String(count),
    )
  }
}

/** As the proxy hands it on: what the client claims, then the address of its connection. */
const via = (address: string, claimed = ''): Headers => ({
  'X-Forwarded-For': claimed === '' ? address : `${claimed}, ${address}`,
})

/** Each file of counters starts anew. */
function nextWindow(app: StartedApp): void {
  app.clock.advance(WINDOW)
}

describe('guesses at one account', () => {
  it('end at the eleventh, for accounts that exist and those that do not, with one answer', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    const answers: SeenAnswer[] = []
    for (const identity of [email, newEmail('nobody')]) {
      await exhaust(direct, identity)
      const answer = await guess(direct, { identity })
      assert.equal(problem(answer), '429 rate_limited')
      assert.equal(answer.headers['retry-after'], String(WINDOW / 1000))
      answers.push(answer)
    }
    assert.equal(answers[0]?.text, answers[1]?.text)
  })

  it('tell nothing about the password any more: the right one is refused alike', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    await exhaust(direct, email)
    const [wrong, right] = [
      await guess(direct, { identity: email }),
      await guess(direct, { identity: email, password: PASSWORD }),
    ]
    assert.deepEqual([right.status, right.text, right.cookies], [429, wrong.text, []])
  })

  it('do not end the owner’s session, and a new window lets the owner in', async () => {
    nextWindow(direct)
    const { browser, email } = await newPerson(direct)
    await exhaust(direct, email)
    assert.equal(await stateOf(browser), 'signed in')
    direct.clock.advance(WINDOW - 1)
    assert.equal((await guess(direct, { identity: email, password: PASSWORD })).status, 429)
    direct.clock.advance(1)
    assert.equal((await guess(direct, { identity: email, password: PASSWORD })).status, 200)
  })

  it('are counted together whatever the spelling of the address', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    const spellings = [
      email.toUpperCase(),
      ` ${email}`,
      `${email}\t`,
      email.replace('person', 'Person'),
      email.replace('person', '\uff50erson'),
      `\u00a0${email}`,
      email.replace('example', 'EXAMPLE'),
      `\ufeff${email}`,
      email.replace('.com', '\uff0ecom'),
      email.normalize('NFD'),
    ]
    assert.equal(spellings.length, PER_ACCOUNT)
    for (const identity of spellings)
      assert.equal((await guess(direct, { identity })).status, 401, JSON.stringify(identity))
    assert.equal((await guess(direct, { identity: email })).status, 429)
  })

  it('in parallel reach PocketBase no more often than one after the other', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    const answers = await Promise.all(Array.from({ length: 40 }, () => guess(direct, { identity: email })))
    assert.equal(answers.filter(({ status }) => status === 401).length, PER_ACCOUNT)
    assert.equal(answers.filter(({ status }) => status === 429).length, 40 - PER_ACCOUNT)
  })

  it('count too where the password is asked for again, or is to be changed', async () => {
    nextWindow(direct)
    const { browser, email } = await newPerson(direct)
    const thief = stealCookies(direct, browser)
    for (let count = 0; count < PER_ACCOUNT / 2; count++) {
      assert.equal((await thief.json('/auth/reauthenticate', { password: 'guessed wrong' })).status, 401)
      const change = { currentPassword: 'guessed wrong', password: NEW_PASSWORD, passwordConfirm: NEW_PASSWORD }
      assert.equal((await thief.json('/auth/password', change)).status, 422)
    }
    assert.equal((await thief.json('/auth/reauthenticate', { password: PASSWORD })).status, 429)
    assert.equal((await guess(direct, { identity: email })).status, 429)
  })

  it('of form posts are the same guesses, and the page tells how long to wait', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    await exhaust(direct, email)
    const answer = await direct.browser().form('/auth/login', { identity: email, password: PASSWORD })
    assert.equal(answer.status, 429)
    assert.equal(answer.headers['retry-after'], String(WINDOW / 1000))
    assert.match(answer.text, /Too many attempts/)
  })

  it('are told to the operator, without what was typed', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    await exhaust(direct, email)
    direct.events.splice(0)
    await guess(direct, { identity: email })
    const seen = direct.events.find(({ name }) => name === 'authn_login_fail_max')
    assert.equal(seen?.event['limit'], 'login_account')
    assert.ok(!JSON.stringify(direct.events).includes(email))
  })
})

describe('guesses at many accounts from one address', () => {
  it('end at the fifty-first, also for the right password, and a success in between clears nothing', async () => {
    nextWindow(direct)
    const { email } = await newPerson(direct)
    for (let count = 0; count < PER_ADDRESS; count++) {
      if (count === 40) assert.equal((await guess(direct, { identity: email, password: PASSWORD })).status, 200)
      assert.equal((await guess(direct, { identity: newEmail('sprayed') })).status, 401, String(count))
    }
    const answer = await guess(direct, { identity: newEmail('sprayed') })
    assert.equal(problem(answer), '429 rate_limited')
    assert.ok(Number(answer.headers['retry-after']) > 0)
    assert.equal((await guess(direct, { identity: email, password: PASSWORD })).status, 429)
    nextWindow(direct)
    assert.equal((await guess(direct, { identity: email, password: PASSWORD })).status, 200)
  })
})

describe('an address that is only claimed', () => {
  const spoofs: readonly ((count: number) => Headers)[] = [
    (count) => ({ 'X-Forwarded-For': `203.0.113.${count}` }),
    (count) => ({ 'X-Forwarded-For': `203.0.113.${count}, 10.0.0.${count}` }),
    (count) => ({ 'X-Real-IP': `203.0.113.${count}` }),
    (count) => ({ Forwarded: `for=203.0.113.${count}` }),
    (count) => ({ 'CF-Connecting-IP': `203.0.113.${count}`, 'True-Client-IP': `203.0.113.${count}` }),
    (count) => ({ 'X-Client-IP': `203.0.113.${count}`, 'X-Cluster-Client-IP': `203.0.113.${count}` }),
    (count) => ({ 'User-Agent': `another browser ${count}`, Via: `1.1 proxy${count}` }),
  ]
  for (const [index, headersOf] of spoofs.entries()) {
    it(`gives no more guesses without a proxy: ${Object.keys(headersOf(0)).join(', ')} (${index + 1})`, async () => {
      nextWindow(direct)
      const { email } = await newPerson(direct)
      await exhaust(direct, email, headersOf)
      assert.equal((await guess(direct, { identity: email, headers: headersOf(99) })).status, 429)
    })
  }

  it('gives no more guesses in front of the one that the proxy has appended', async () => {
    const { email } = await newPerson(proxied)
    await exhaust(proxied, email, (count) => via('198.51.100.7', `203.0.113.${count}, 127.0.0.1`))
    assert.equal((await guess(proxied, { identity: email, headers: via('198.51.100.7') })).status, 429)
  })

  it('is not one person’s for everybody: the owner gets in from another address', async () => {
    const { email } = await newPerson(proxied)
    await exhaust(proxied, email, () => via('198.51.100.8'))
    assert.equal((await guess(proxied, { identity: email, headers: via('198.51.100.8') })).status, 429)
    const owner = await guess(proxied, { identity: email, password: PASSWORD, headers: via('198.51.100.9') })
    assert.equal(owner.status, 200)
  })

  it('of IPv6 counts by its /64, which every household has whole', async () => {
    const { email } = await newPerson(proxied)
    const spellings = (count: number): string =>
      count % 2 === 0 ? `2001:db8:1:2:${count + 1}::${count + 1}` : `2001:0DB8:0001:0002:0000:${count}:0:1`
    await exhaust(proxied, email, (count) => via(spellings(count)))
    assert.equal((await guess(proxied, { identity: email, headers: via('2001:db8:1:2:ffff::1') })).status, 429)
    assert.equal((await guess(proxied, { identity: email, headers: via('2001:db8:1:3::1') })).status, 401)
  })

  it('of IPv4 is the same when it is written as IPv6, and not one bucket for all of them', async () => {
    const { email } = await newPerson(proxied)
    const spellings = [
      '198.51.100.20',
      '::ffff:198.51.100.20',
      '::ffff:c633:6414',
      '::FFFF:198.51.100.20',
      '0:0:0:0:0:ffff:c633:6414',
    ]
    await exhaust(proxied, email, (count) => via(spellings[count % spellings.length] ?? ''))
    assert.equal((await guess(proxied, { identity: email, headers: via('::ffff:198.51.100.20') })).status, 429)
    assert.equal((await guess(proxied, { identity: email, headers: via('::ffff:198.51.100.21') })).status, 401)
  })

  it('that is no address opens no budget of its own', async () => {
    const { email } = await newPerson(proxied)
    const nonsense = (count: number): string =>
      ['unknown', '_hidden', `"[2001:db8::${count}]"`, `x${count}`][count % 4] ?? ''
    await exhaust(proxied, email, (count) => via(nonsense(count)))
    assert.equal((await guess(proxied, { identity: email, headers: via('y') })).status, 429)
  })
})

describe('mails', () => {
  it('to one address are limited together, with the same answer, whatever its spelling', async () => {
    const { email } = await newPerson(direct)
    direct.events.splice(0)
    const answers: SeenAnswer[] = []
    for (let count = 0; count < 8; count++) {
      const address = count % 2 === 0 ? email : email.toUpperCase()
      answers.push(await direct.browser().json('/auth/password-reset', { email: address }))
    }
    for (const answer of answers) assert.deepEqual([answer.status, answer.text], [202, answers[0]?.text])
    const limited = direct.events.filter(
      ({ name, event }) => name === 'excess_rate_limit_exceeded' && event['limit'] === 'mail',
    )
    assert.equal(limited.length, 3)
  })
})
