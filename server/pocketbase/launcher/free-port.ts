// A port of this machine that was free a moment ago. Somebody may take it before PocketBase does; the start then
// tries another one.

import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

/** `preferred` where it is free, otherwise any. */
export async function findFreePort(preferred?: number): Promise<number> {
  if (preferred !== undefined) {
    const port = await listenOnce(preferred)
    if (port !== null) return port
  }
  const port = await listenOnce(0)
  if (port === null) throw new Error('no free port on 127.0.0.1')
  return port
}

async function listenOnce(port: number): Promise<number | null> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return null // in use, or not allowed
  }
  // An address of a TCP server is never a string.
  const { port: found } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return found
}
