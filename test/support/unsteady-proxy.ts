// A TCP connection over a bad network: it is cut, stands still, or takes its time. What passes stays in order.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface UnsteadyProxy {
  readonly port: number
  /** All connections are reset. New ones are taken. */
  cut(): void
  /** What is sent is held back; with `answers`, only what the server sends. */
  stall(which?: 'answers'): void
  /** Whatever is sent from now on arrives so much later. */
  delay(ms: number): void
  /** What was held back arrives, all at once; no delay any more. */
  heal(): void
  /** Of the answers that are held back, so many bytes arrive. */
  release(bytes: number): void
  /** Bytes of the server that are held back. */
  heldAnswers(): number
  close(): Promise<void>
}

interface Weather {
  delayMs: number
  holdsRequests: boolean
  holdsAnswers: boolean
}

const HOST = '127.0.0.1'

/** Whoever starts it closes it. */
export async function startUnsteadyProxy(target: {
  readonly host: string
  readonly port: number
}): Promise<UnsteadyProxy> {
  const weather: Weather = { delayMs: 0, holdsRequests: false, holdsAnswers: false }
  const pairs = new Set<Pair>()
  const server = createServer((client) => {
    const pair = new Pair(client, connect(target.port, target.host), weather)
    pairs.add(pair)
    client.on('close', () => pairs.delete(pair))
  }).listen(0, HOST)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  const cut = (): void => {
    for (const pair of pairs) pair.end()
  }
  return {
    port: address.port,
    cut,
    stall: (which) => {
      weather.holdsAnswers = true
      weather.holdsRequests = which !== 'answers'
    },
    delay: (ms) => void (weather.delayMs = ms),
    heal: () => {
      Object.assign(weather, { delayMs: 0, holdsRequests: false, holdsAnswers: false })
      for (const pair of pairs) pair.flush()
    },
    release: (bytes) => {
      for (const { answers } of pairs) if (answers.held > 0) answers.release(bytes)
    },
    heldAnswers: () => [...pairs].reduce((sum, { answers }) => sum + answers.held, 0),
    close: async () => {
      server.close()
      cut()
      await once(server, 'close')
    },
  }
}

/** Both directions of one connection. */
class Pair {
  readonly answers: Flow
  readonly #requests: Flow
  readonly #sockets: readonly Socket[]

  constructor(client: Socket, server: Socket, weather: Weather) {
    this.#sockets = [client, server]
    this.answers = new Flow(client, () => ({ delayMs: weather.delayMs, isHeld: weather.holdsAnswers }))
    this.#requests = new Flow(server, () => ({ delayMs: weather.delayMs, isHeld: weather.holdsRequests }))
    client.on('data', (data) => this.#requests.push(data))
    server.on('data', (data) => this.answers.push(data))
    for (const socket of this.#sockets) {
      socket.setNoDelay()
      socket.on('error', () => socket.destroy()) // the other side is ended by its close
      socket.on('close', () => this.end())
    }
  }

  flush(): void {
    this.#requests.flush(Infinity)
    this.answers.flush(Infinity)
  }

  end(): void {
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy()
  }
}

/** One direction. */
class Flow {
  readonly #to: Socket
  readonly #weather: () => { readonly delayMs: number; readonly isHeld: boolean }
  #waiting: { readonly data: Buffer; readonly dueAt: number }[] = []

  constructor(to: Socket, weather: () => { readonly delayMs: number; readonly isHeld: boolean }) {
    this.#to = to
    this.#weather = weather
  }

  get held(): number {
    return this.#waiting.reduce((sum, { data }) => sum + data.length, 0)
  }

  push(data: Buffer): void {
    const { delayMs } = this.#weather()
    const before = this.#waiting.at(-1)?.dueAt ?? 0
    const dueAt = Math.max(before, performance.now() + delayMs)
    this.#waiting.push({ data, dueAt })
    if (delayMs === 0) this.flush()
    else setTimeout(() => this.flush(), delayMs).unref()
  }

  release(bytes: number): void {
    const all = Buffer.concat(this.#waiting.map(({ data }) => data))
    this.#waiting = [{ data: all.subarray(bytes), dueAt: 0 }]
    this.#to.write(all.subarray(0, bytes))
  }

  /** Sends what is due, in one piece. */
  flush(now = performance.now() + 1): void {
    if (this.#weather().isHeld) return
    const later = this.#waiting.findIndex(({ dueAt }) => dueAt > now)
    const due = this.#waiting.splice(0, later === -1 ? Infinity : later)
    if (due.length > 0 && !this.#to.destroyed) this.#to.write(Buffer.concat(due.map(({ data }) => data)))
  }
}
