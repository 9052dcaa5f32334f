// Something else at PocketBase's address: a proxy, a portal, another program.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export async function withStranger(listener: RequestListener, work: (url: string) => Promise<void>): Promise<void> {
  const stranger = createServer(listener)
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  try {
    // An address of a TCP server is never a string.
    await work(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}`)
  } finally {
    stranger.closeAllConnections()
    stranger.close()
  }
}
