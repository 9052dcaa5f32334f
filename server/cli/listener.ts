// The listening socket, plain or TLS. It is there before the app is, so that a port in use is known at once.

import { once } from 'node:events'
import { createServer as createPlainServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { CliError } from './cli-error.ts'
import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ServerSettings } from '../environment.ts'

export interface Listener {
  readonly port: number
  /** From now on requests go to the app; before they are answered with 503. */
  serve(app: RequestListener): void
  /** Takes no new connections and lets requests finish; after `deadlineMs` they are cut off. */
  close(deadlineMs: number): Promise<void>
}

const DROP_IDLE_MS = 50

export type ListenSettings = Pick<ServerSettings, 'port' | 'host' | 'tls'>

/** @throws CliError where the port or address cannot be had, or the certificate is unusable */
export async function listen(settings: ListenSettings): Promise<Listener> {
  let app: RequestListener = answerStarting
  const server = createServer(settings, (req, res) => app(req, res))
  server.listen(settings.port, settings.host)
  try {
    await once(server, 'listening')
  } catch (error) {
    throw explainListenError(error, settings)
  }
  return {
    // A listening TCP server has an address with a port.
    port: (server.address() as AddressInfo).port,
    serve(next) {
      app = next
    },
    close: (deadlineMs) => close(server, deadlineMs),
  }
}

function createServer({ tls }: ListenSettings, listener: RequestListener): Server {
  if (tls === null) return createPlainServer(listener)
  try {
    // Plain http to this port ends in a TLS error that closes that connection alone.
    return createTlsServer({ ...tls, minVersion: 'TLSv1.2' }, listener)
  } catch (error) {
    throw new CliError('TLS_CERT and TLS_KEY: not a certificate and its key in PEM', { cause: error })
  }
}

const answerStarting: RequestListener = (_req, res) => {
  res.writeHead(503, { 'Retry-After': '2', 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' })
  res.end('Starting. Please try again in a moment.\n')
}

async function close(server: Server, deadlineMs: number): Promise<void> {
  const closed = once(server, 'close')
  // Drops idle keep-alive connections too.
  server.close()
  // A connection whose last request ends now would wait for another one.
  const dropIdle = setInterval(() => server.closeIdleConnections(), DROP_IDLE_MS)
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs)
  await closed
  clearInterval(dropIdle)
  clearTimeout(deadline)
}

function explainListenError(error: unknown, { port, host }: ListenSettings): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') {
    return new CliError(
      `Port ${port} is already in use. "lsof -i :${port}" shows by what; or take another one: PORT=${port + 1} npm start`,
      { cause: error },
    )
  }
  if (code === 'EACCES') {
    return new CliError(`Port ${port} needs more rights. Take one above 1023: PORT=3000 npm start`, { cause: error })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
    return new CliError(`HOST=${host} is not an address of this machine.`, { cause: error })
  }
  return error
}
