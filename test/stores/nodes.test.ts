// Three servers on one store behind one address: who is signed out on one is signed out on all, for the very next request.

import assert from 'node:assert/strict'
import { after, before, describe, it, type TestContext } from 'node:test'
import { BrowserClient } from '../support/browser-client.ts'
import { send } from '../support/http-client.ts'
import { COOKIE, startNodes, type Nodes } from '../support/nodes.ts'
import { newEmail, sessionCookie } from '../support/people.ts'
import { startPocketBase, type TestPocketBase } from '../support/pocketbase.ts'
import { storeServers, type StoreServer } from '../support/store-servers.ts'
import { temporaryFolder } from '../support/stores.ts'

const NODES = 3
const USERS = 10
/** By each user; with all users, a thousand in all. */
const ENDINGS = { logout: 50, revoke: 30, revokeOthers: 5, logoutEverywhere: 5, password: 10 } as const

type Ending = keyof typeof ENDINGS

let pocketbase: TestPocketBase
before(async () => {
  pocketbase = await startPocketBase({ bcryptCost: 4 })
})
after(() => pocketbase?.stop())

for (const kind of storeServers) {
  describe(`${NODES} servers on ${kind.name}`, () => {
    let server: StoreServer
    before(async () => {
      server = await kind.start()
    })
    after(() => server?.stop())

    it('see a logout, a revocation and a password change of any of them at once, 1,000 times', (t) =>
      endAll(t, 1, { SESSION_STORE: server.url() }))

    // Redis does so by itself.
    if (kind.name === 'redis') return
    it('see them as soon where they keep sessions in the process, 200 times', (t) =>
      endAll(t, 1 / 5, { SESSION_STORE: server.url(), SESSION_CACHE: 'true' }))
  })
}

async function endAll(t: TestContext, share: number, env: Readonly<Record<string, string>>): Promise<void> {
  const common = { POCKETBASE_URL: pocketbase.url, SESSION_MAX_PER_USER: '100' }
  const nodes = await startNodes({ count: NODES, cwd: temporaryFolder(t), env: { ...common, ...env } })
  t.after(() => nodes.stop())
  const users = Array.from({ length: USERS }, () => new Roamer(nodes))
  await Promise.all(users.map((user) => user.endAll(share)))
  const seen = users.reduce((sum, user) => sum + user.seen, 0)
  assert.equal(seen, share * 1000)
  const shares = [...nodes.balancer.served.values()]
  assert.equal(shares.length, NODES)
  assert.ok(Math.max(...shares) - Math.min(...shares) <= 1, 'the connections were not spread evenly')
}

/** A user with a browser that stays, and others that come and go. */
class Roamer {
  /** Endings that all servers have seen. */
  seen = 0
  readonly #nodes: Nodes
  readonly #email = newEmail('roamer')
  readonly #home: BrowserClient
  #password = 'password number 0'

  constructor(nodes: Nodes) {
    this.#nodes = nodes
    this.#home = new BrowserClient(nodes.url)
  }

  /** @param share of the endings */
  async endAll(share: number): Promise<void> {
    assert.equal((await this.#home.register(this.#email, this.#password)).status, 201)
    const left = Object.fromEntries(Object.entries(ENDINGS).map(([ending, count]) => [ending, count * share]))
    // By turns, so that all kinds meet all states.
    while (Object.values(left).some((count) => count > 0)) {
      for (const [ending, count] of Object.entries(left)) {
        if (count === 0) continue
        left[ending] = count - 1
        await this.#end(ending as Ending) // a key of ENDINGS
      }
    }
  }

  async #end(ending: Ending): Promise<void> {
    const { browser, id } = await this.#signIn(new BrowserClient(this.#nodes.url))
    const [guest, before] = [cookieOf(browser), cookieOf(this.#home)]
    await this.#assertLive(browser)
    const ended = [guest]
    if (ending === 'logout') assertStatus(await browser.json('/auth/logout'), 204)
    if (ending === 'revoke') {
      assertStatus(await this.#home.json(`/auth/sessions/${id}`, undefined, { method: 'DELETE' }), 204)
    }
    if (ending === 'revokeOthers') assertStatus(await this.#home.json('/auth/sessions/revoke-others'), 200)
    if (ending === 'logoutEverywhere') {
      assertStatus(await this.#home.json('/auth/logout-everywhere'), 200)
      ended.push(before)
    }
    if (ending === 'password') {
      const password = `password number ${this.seen + 1}`
      const body = { currentPassword: this.#password, password, passwordConfirm: password }
      assertStatus(await this.#home.json('/auth/password', body), 204)
      this.#password = password
      ended.push(before)
    }
    await Promise.all(ended.map((cookie) => this.#assertEnded(ending, cookie)))
    this.seen += 1
    if (ending === 'logoutEverywhere') await this.#signIn(this.#home)
    if (ending !== 'logout') await this.#assertLive(this.#home)
  }

  async #signIn(browser: BrowserClient): Promise<{ readonly browser: BrowserClient; readonly id: string }> {
    const answer = await browser.login(this.#email, this.#password)
    assertStatus(answer, 200)
    const { session } = answer.json() as { readonly session: { readonly id: string } }
    return { browser, id: session.id }
  }

  /** On whichever server comes next. */
  async #assertLive(browser: BrowserClient): Promise<void> {
    const { user } = (await browser.get('/auth/status')).json() as unknown as Status // what the route is documented to answer
    assert.equal(user?.email, this.#email)
  }

  /** On every server, by itself. */
  async #assertEnded(ending: Ending, cookie: string): Promise<void> {
    const headers = { Cookie: `${COOKIE}=${cookie}` }
    const answers = await Promise.all(this.#nodes.urls.map((url) => send(url, '/auth/status', { headers })))
    for (const answer of answers) {
      assertStatus(answer, 200)
      const { authenticated, reason } = answer.json() as unknown as Status // as above
      assert.deepEqual([authenticated, typeof reason], [false, 'string'], `not seen: ${ending}`)
    }
  }
}

interface Status {
  readonly authenticated: boolean
  readonly user?: { readonly email: string }
  readonly reason?: string | null
}

function cookieOf(browser: BrowserClient): string {
  const cookie = sessionCookie(browser)
  assert.ok(cookie)
  return cookie
}

function assertStatus(answer: { readonly status: number; readonly text: string }, expected: number): void {
  assert.equal(answer.status, expected, answer.text)
}
