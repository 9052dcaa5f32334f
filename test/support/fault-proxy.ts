// A TCP proxy between a server of ours and its store that can be made to fail in every way a network does.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface FaultProxy {
  readonly port: number
  /** Nobody listens any more; open connections are reset. */
  refuse(): Promise<void>
  /** Open connections are reset, new ones right after they were made. */
  reset(): void
  /** Nothing passes. What was sent meanwhile passes when it is over. */
  hang(): void
  /** Answers come this much later. */
  delay(ms: number): void
  /** Open connections are dead and nobody is told, as behind a firewall that has forgotten them. New ones work. */
  halfOpen(): void
  /** Of each so many answers one is thrown away, and its connection reset: the server has done it, and nobody hears. */
  loseAnswers(oneOf: number): void
  /** Answers that were lost so far. */
  lost(): number
  /** All is well again, but for connections that are half-open. */
  heal(): Promise<void>
  close(): Promise<void>
}

type Fault = 'none' | 'reset' | 'hang' | 'delay' | 'lose'

const HOST = '127.0.0.1'

/** Whoever starts it closes it. */
export async function startFaultProxy(targetPort: number): Promise<FaultProxy> {
  const pairs = new Set<Pair>()
  let fault: Fault = 'none'
  let delayMs = 0
  let oneOf = 1
  let answers = 0
  let lost = 0

  const answer = (pair: Pair, bytes: Buffer): void => {
    answers += 1
    if (fault === 'lose' && answers % oneOf === 0) {
      lost += 1
      pair.reset()
    } else pair.answer(bytes, fault === 'delay' ? delayMs : 0)
  }
  const server = createServer((client) => {
    if (fault === 'reset') {
      client.on('error', () => {}).resetAndDestroy()
      return
    }
    const pair = new Pair(client, connect(targetPort, HOST), { answer, ended: () => pairs.delete(pair) })
    pairs.add(pair)
    if (fault === 'hang') pair.pause()
  })
  const listen = async (port: number): Promise<void> => {
    server.listen(port, HOST)
    await once(server, 'listening')
  }
  await listen(0)
  const { port } = server.address() as AddressInfo // a TCP server has a port
  const resetAll = (): void => {
    for (const pair of pairs) pair.reset()
  }
  return {
    port,
    async refuse() {
      server.close()
      resetAll()
      await once(server, 'close')
    },
    reset() {
      fault = 'reset'
      resetAll()
    },
    hang() {
      fault = 'hang'
      for (const pair of pairs) pair.pause()
    },
    delay(ms) {
      fault = 'delay'
      delayMs = ms
    },
    halfOpen() {
      for (const pair of pairs) pair.pause()
    },
    loseAnswers(every) {
      fault = 'lose'
      oneOf = every
    },
    lost: () => lost,
    async heal() {
      if (fault === 'hang') for (const pair of pairs) pair.resume()
      fault = 'none'
      if (!server.listening) await listen(port)
    },
    async close() {
      const closed = server.listening ? once(server, 'close') : undefined
      server.close()
      resetAll()
      await closed
    },
  }
}

interface PairHooks {
  /** Bytes came from the server. */
  readonly answer: (pair: Pair, bytes: Buffer) => void
  readonly ended: () => void
}

/** A connection of a client, and the one to the server that stands for it. */
class Pair {
  readonly #client: Socket
  readonly #server: Socket
  readonly #timers = new Set<NodeJS.Timeout>()
  /** When the last delayed answer is due. */
  #lastAt = 0

  constructor(client: Socket, server: Socket, hooks: PairHooks) {
    this.#client = client
    this.#server = server
    client.on('data', (bytes) => server.write(bytes))
    server.on('data', (bytes) => hooks.answer(this, bytes))
    for (const socket of [client, server]) {
      socket.on('error', () => socket.destroy()) // the other side hears of it by its close
      socket.on('close', () => {
        hooks.ended()
        for (const timer of this.#timers) clearTimeout(timer)
        client.destroy()
        server.destroy()
      })
    }
  }

  /** In order: one that is not delayed must not overtake one that is. */
  answer(bytes: Buffer, delayMs: number): void {
    const at = Math.max(this.#lastAt, performance.now() + delayMs)
    if (delayMs === 0 && this.#timers.size === 0) {
      this.#client.write(bytes)
      return
    }
    this.#lastAt = at
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#client.write(bytes)
    }, at - performance.now())
    this.#timers.add(timer)
  }

  reset(): void {
    this.#client.resetAndDestroy()
  }

  /** A socket that is not read tells nothing, not even that the other side has gone. */
  pause(): void {
    this.#client.pause()
    this.#server.pause()
  }

  resume(): void {
    this.#client.resume()
    this.#server.resume()
  }
}
