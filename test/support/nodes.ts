// Several server processes on one store and one PocketBase, behind one address that sends each connection to the next.

import { fileURLToPath } from 'node:url'
import { startBalancer, type Balancer } from './balancer.ts'
import { startProgram, type ServerProcess } from './server-process.ts'

export interface Nodes {
  /** The one address. */
  readonly url: string
  readonly balancer: Balancer
  /** Each server by itself, past the balancer. */
  readonly urls: readonly string[]
  stop(): Promise<void>
}

export interface NodesOptions {
  readonly count: number
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

const MAIN = fileURLToPath(new URL('node-main.ts', import.meta.url))
const SECRET = 'test-only-nodes-Zq3v8Kx1Lm5Rt7Wb9Yd2Hf4Jg6NcPs'

/** The name of their cookie. */
export const COOKIE = 'session'

/** Whoever starts them stops them. */
export async function startNodes({ count, cwd, env }: NodesOptions): Promise<Nodes> {
  const balancer = await startBalancer()
  const common = { SESSION_SECRET: SECRET, SESSION_COOKIE_NAME: COOKIE, LOG_LEVEL: 'warn', ORIGIN: balancer.url }
  const options = { cwd, env: { ...common, ...env } }
  const starting = Array.from({ length: count }, () => startProgram([MAIN], options, /^listening on (http:\S+)$/m))
  const started = await Promise.allSettled(starting)
  const processes: readonly ServerProcess[] = started.flatMap((each) =>
    each.status === 'fulfilled' ? [each.value] : [],
  )
  const stop = async (): Promise<void> => {
    await balancer.close()
    await Promise.all(processes.map((process) => process.stop()))
  }
  const failed = started.find((each) => each.status === 'rejected')
  if (failed) {
    await stop()
    throw failed.reason
  }
  const urls = processes.map(({ url }) => url)
  balancer.serve(urls.map((url) => Number(new URL(url).port)))
  return { url: balancer.url, balancer, urls, stop }
}
