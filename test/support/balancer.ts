// One address in front of several servers: each connection goes to the next one, whoever comes.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Balancer {
  readonly url: string
  /** Connections by port. */
  readonly served: ReadonlyMap<number, number>
  /** From now on these ports of this machine are served by turns. */
  serve(ports: readonly number[]): void
  close(): Promise<void>
}

const HOST = '127.0.0.1'

export async function startBalancer(): Promise<Balancer> {
  const sockets = new Set<Socket>()
  const served = new Map<number, number>()
  let ports: readonly number[] = []
  let turn = 0
  const server = createServer((client) => {
    turn += 1
    const port = ports[turn % ports.length]
    if (port === undefined) return void client.destroy()
    served.set(port, (served.get(port) ?? 0) + 1)
    const node = connect(port, HOST)
    for (const socket of [client, node]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy()) // the other side hears of it by its close
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        node.destroy()
      })
    }
    client.pipe(node).pipe(client)
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}`, // a TCP server has a port
    served,
    serve: (next) => {
      ports = next
    },
    close: async () => {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
