// A TCP connection that can be made to go wrong: silence without an end, and answers that are lost.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  readonly port: number
  /** Nothing passes any more, and nobody is told: what is open stays open, as behind a firewall that has forgotten it. */
  swallow(): void
  /** New connections pass again. Those from before stay silent for ever. */
  heal(): void
  /** The next answer of the server is thrown away, and its connection reset: the statement is done, nobody hears of it. */
  loseNextAnswer(): void
  /** Resolves when that has happened. */
  answerLost(): Promise<void>
  connections(): number
  close(): Promise<void>
}

const HOST = '127.0.0.1'

export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const pairs = new Set<{ readonly from: Socket; readonly to: Socket; isSilent: boolean }>()
  let isSwallowing = false
  let lost: PromiseWithResolvers<void> | undefined
  let isLosing = false
  const server = createServer((from) => {
    const to = connect(target.port, target.host)
    const pair = { from, to, isSilent: isSwallowing }
    pairs.add(pair)
    const end = (): void => {
      pairs.delete(pair)
      if (pair.isSilent) return // not even the end passes
      from.destroy()
      to.destroy()
    }
    for (const socket of [from, to]) socket.on('error', end).on('close', end)
    from.on('data', (data) => void (pair.isSilent || to.write(data)))
    to.on('data', (data) => {
      if (pair.isSilent) return
      if (!isLosing) return void from.write(data)
      isLosing = false
      from.resetAndDestroy()
      lost?.resolve()
    })
  }).listen(0, HOST)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port')
  return {
    port: address.port,
    swallow: () => {
      isSwallowing = true
      for (const pair of pairs) pair.isSilent = true
    },
    heal: () => {
      isSwallowing = false
    },
    loseNextAnswer: () => {
      isLosing = true
      lost = Promise.withResolvers()
    },
    answerLost: async () => lost?.promise,
    connections: () => pairs.size,
    close: async () => {
      server.close()
      for (const { from, to } of pairs) {
        from.destroy()
        to.destroy()
      }
      await once(server, 'close')
    },
  }
}
