// A TCP proxy that can lose the reply to one command: the server has done it, and nobody hears.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface LossyProxy {
  readonly port: number
  /** The next command whose bytes contain this text is passed on; its connection is cut instead of the reply. */
  loseReplyTo(text: string): void
  /** How many replies were lost. */
  lost(): number
  close(): Promise<void>
}

const HOST = '127.0.0.1'

export async function startLossyProxy(serverPort: number): Promise<LossyProxy> {
  const sockets = new Set<Socket>()
  let marker: string | undefined
  let lost = 0
  const server = createServer((client) => {
    const upstream = connect(serverPort, HOST)
    let isVictim = false
    client.on('data', (bytes) => {
      if (marker !== undefined && bytes.includes(marker)) {
        marker = undefined
        isVictim = true
      }
      upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (!isVictim) return client.write(bytes)
      lost += 1
      return client.destroy()
    })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()) // the other side is cut by its close
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port, // an address of a TCP server is never a string
    loseReplyTo: (text) => {
      marker = text
    },
    lost: () => lost,
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
