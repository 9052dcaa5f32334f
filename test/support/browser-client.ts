// A browser without a screen: keeps cookies by their attributes, says where requests come from, sends CSRF tokens,
// and remembers every answer, so that a test can look through all of them.

import { send, type Answer, type Sent } from './http-client.ts'

export interface StoredCookie {
  readonly value: string
  readonly path: string
  /** As it was sent: `name=value; Path=/; HttpOnly`. */
  readonly line: string
}

export interface SeenAnswer extends Answer {
  readonly method: string
  readonly path: string
  readonly tookMs: number
}

type Headers = Readonly<Record<string, string>>

const PAGE_HEADERS = {
  Accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
}
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

export interface BrowserOptions {
  /** What the browser takes for the origin of the pages; default: where it connects to. */
  readonly origin?: string
  /** Sent with every request. */
  readonly headers?: Headers
}

export class BrowserClient {
  /** Where it connects to. */
  readonly url: string
  readonly origin: string
  readonly cookies = new Map<string, StoredCookie>()
  /** Every answer so far, with its lines of Set-Cookie and its body. */
  readonly answers: SeenAnswer[] = []
  readonly #headers: Headers
  #csrf: { readonly cookies: string; readonly token: string } | undefined

  constructor(url: string, { origin = url, headers = {} }: BrowserOptions = {}) {
    this.url = url
    this.origin = origin
    this.#headers = { 'User-Agent': FIREFOX, ...headers }
  }

  /** Sends exactly this, with the cookies, and takes cookies from the answer. */
  async send(path: string, { method = 'GET', headers = {}, ...rest }: Sent = {}): Promise<SeenAnswer> {
    const cookie = this.cookieHeader(path)
    const withCookie = cookie === '' ? {} : { Cookie: cookie }
    const started = performance.now()
    const answer = await send(this.url, path, {
      method,
      headers: { ...this.#headers, ...withCookie, ...headers },
      ...rest,
    })
    for (const line of answer.cookies) this.#keep(line)
    const seen = { ...answer, method, path, tookMs: performance.now() - started }
    this.answers.push(seen)
    return seen
  }

  /** As a script of the app asks. */
  get(path: string, headers: Headers = {}): Promise<SeenAnswer> {
    return this.send(path, { headers: { Accept: 'application/json', 'Sec-Fetch-Site': 'same-origin', ...headers } })
  }

  /** As somebody opens a page by a link or the address line. Redirects are not followed. */
  page(path: string, headers: Headers = {}): Promise<SeenAnswer> {
    return this.send(path, { headers: { ...PAGE_HEADERS, 'Sec-Fetch-Site': 'none', ...headers } })
  }

  /** A JSON request with Origin and a CSRF token. */
  async json(
    path: string,
    body?: unknown,
    options: { readonly method?: string; readonly headers?: Headers } = {},
  ): Promise<SeenAnswer> {
    const headers = {
      Accept: 'application/json',
      Origin: this.origin,
      'X-CSRF-Token': await this.csrfToken(),
      ...options.headers,
    }
    const method = options.method ?? 'POST'
    if (body === undefined) return this.send(path, { method, headers })
    return this.send(path, {
      method,
      headers: { 'Content-Type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  }

  /** A form of a page without scripts, with its hidden CSRF field. Redirects are not followed. */
  async form(path: string, fields: Headers, headers: Headers = {}): Promise<SeenAnswer> {
    const body = new URLSearchParams({ _csrf: await this.csrfToken(), ...fields }).toString()
    return this.send(path, {
      method: 'POST',
      headers: {
        ...PAGE_HEADERS,
        Origin: this.origin,
        'Content-Type': 'application/x-www-form-urlencoded',
        ...headers,
      },
      body,
    })
  }

  /** A token for the cookies of now; asked for again when they have changed. */
  async csrfToken(): Promise<string> {
    if (this.#csrf?.cookies !== this.cookieHeader('/')) {
      const answer = await this.get('/auth/csrf')
      if (answer.status !== 200) return ''
      this.#csrf = { token: String(answer.json()['csrfToken']), cookies: this.cookieHeader('/') }
    }
    return this.#csrf.token
  }

  /** Registers a new user, and is signed in as them. */
  async register(email: string, password: string, profile: object = { displayName: 'Ann' }): Promise<SeenAnswer> {
    return this.json('/auth/register', { email, password, passwordConfirm: password, profile })
  }

  async login(identity: string, password: string, more: object = {}): Promise<SeenAnswer> {
    return this.json('/auth/login', { identity, password, ...more })
  }

  /** What the browser would send as its Cookie header. */
  cookieHeader(path: string): string {
    const sent = [...this.cookies].filter(([, cookie]) => path.startsWith(cookie.path))
    return sent.map(([name, { value }]) => `${name}=${value}`).join('; ')
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
    const name = pair.slice(0, pair.indexOf('='))
    const value = pair.slice(pair.indexOf('=') + 1)
    const attribute = (wanted: string): string | undefined =>
      attributes.find((each) => each.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1)
    const maxAge = attribute('max-age')
    const expires = attribute('expires')
    // Max-Age wins over Expires (RFC 6265, 5.3).
    const isGone =
      maxAge === undefined ? expires !== undefined && Date.parse(expires) <= Date.now() : Number(maxAge) <= 0
    if (isGone) this.cookies.delete(name)
    else this.cookies.set(name, { value, path: attribute('path') ?? '/', line })
  }
}
