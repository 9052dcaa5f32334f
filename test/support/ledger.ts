// What a server has told its visitors, cookie by cookie. Whatever becomes of the server afterwards, this must stay true;
// of what was under way when it failed, nothing is known.

import { send } from './http-client.ts'

export class Ledger {
  /** Cookie values of live sessions, and whose they are. */
  readonly #live = new Map<string, string>()
  readonly #ended = new Set<string>()

  /** A session was acknowledged. */
  live(cookie: string, email: string): void {
    this.#live.set(cookie, email)
  }

  /** A request has begun that ends this session. */
  uncertain(cookie: string | undefined): void {
    if (cookie !== undefined) this.#live.delete(cookie)
  }

  /** Its end was acknowledged. */
  ended(cookie: string | undefined): void {
    if (cookie !== undefined) this.#ended.add(cookie)
  }

  isLive(cookie: string | undefined): boolean {
    return cookie !== undefined && this.#live.has(cookie)
  }

  get liveCount(): number {
    return this.#live.size
  }

  get endedCount(): number {
    return this.#ended.size
  }

  /** Asks the server about each session. Answers what it does not keep: nothing, if all is well. */
  async broken(url: string, cookieName: string): Promise<readonly string[]> {
    const broken: string[] = []
    const ask = async (cookie: string, email: string | null): Promise<void> => {
      const headers = { Accept: 'application/json', Cookie: `${cookieName}=${cookie}` }
      const answer = await send(url, '/auth/status', { headers })
      const { user, reason } = answer.json() as { readonly user?: { readonly email: string }; readonly reason?: string }
      const seen = user?.email ?? null
      if (answer.status !== 200 || seen !== email)
        broken.push(`${email ?? 'ended'}: ${answer.status} ${seen} ${reason}`)
    }
    const entries = [...this.#live, ...[...this.#ended].map((cookie) => [cookie, null] as const)]
    await inParallel(entries, ([cookie, email]) => ask(cookie, email))
    return broken
  }
}

const AT_ONCE = 20

/** Does `work` for each item, a few at a time. */
export async function inParallel<T>(
  items: readonly T[],
  work: (item: T) => Promise<unknown>,
  atOnce = AT_ONCE,
): Promise<void> {
  const left = items.values()
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}
