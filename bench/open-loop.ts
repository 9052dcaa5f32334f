// Requests at a fixed rate, whether or not the server keeps up: its delays are not hidden by a client that waits for it.

import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

export interface OpenLoopOptions {
  readonly port: number
  readonly path: string
  readonly cookies: readonly string[]
  readonly perSecond: number
  readonly connections: number
  readonly seconds: number
}

export interface OpenLoopResult {
  /** Milliseconds from when a request was due until its answer was complete, the wait for a free connection included. */
  readonly latencies: readonly number[]
  readonly failed: number
}

/** Not measured: connections are made, code is compiled. */
const WARM_UP_MS = 500

/** @throws where a connection breaks or requests are left unanswered */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const run = new OpenLoop(options)
  await run.open()
  try {
    return await run.finish()
  } finally {
    run.close()
  }
}

class OpenLoop {
  readonly #options: OpenLoopOptions
  readonly #latencies: number[] = []
  readonly #sockets: Socket[] = []
  readonly #free: Socket[] = []
  /** When each request that waits for a connection was due. */
  readonly #due: number[] = []
  #sent = 0
  #answered = 0
  #failed = 0
  #broken: Error | undefined

  constructor(options: OpenLoopOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    for (let n = 0; n < this.#options.connections; n += 1) {
      const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true })
      this.#sockets.push(socket)
      await once(socket, 'connect')
      socket.on('error', (error) => (this.#broken = error))
      this.#free.push(socket)
    }
  }

  async finish(): Promise<OpenLoopResult> {
    const { perSecond, seconds } = this.#options
    const total = Math.round(perSecond * (seconds + WARM_UP_MS / 1000))
    const start = performance.now()
    let scheduled = 0
    while (this.#answered < total) {
      if (this.#broken !== undefined) throw this.#broken
      const now = performance.now()
      if (now - start > (seconds + 30) * 1000) throw new Error(`${total - this.#answered} requests without an answer`)
      const due = Math.min(total, Math.floor(((now - start) * perSecond) / 1000))
      for (; scheduled < due; scheduled += 1) this.#due.push(now)
      this.#send()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const warmUp = Math.round((perSecond * WARM_UP_MS) / 1000)
    return { latencies: this.#latencies.slice(warmUp), failed: this.#failed }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #send(): void {
    while (this.#due.length > 0) {
      const socket = this.#free.pop()
      if (socket === undefined) return
      const due = this.#due.shift() ?? 0
      const { path, port, cookies } = this.#options
      const cookie = cookies[(this.#sent * 7919) % cookies.length]
      this.#sent += 1
      this.#receive(socket, due)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`)
    }
  }

  /** One answer: our servers always say its length. */
  #receive(socket: Socket, due: number): void {
    let text = ''
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1')
      const head = text.indexOf('\r\n\r\n')
      if (head === -1) return
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1])
      if (text.length < head + 4 + length) return
      socket.off('data', onData)
      this.#latencies.push(performance.now() - due)
      if (!text.startsWith('HTTP/1.1 200')) this.#failed += 1
      this.#answered += 1
      this.#free.push(socket)
      this.#send()
    }
    socket.on('data', onData)
  }
}
