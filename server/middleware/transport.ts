// Whether a request came the way it should: over https where the origin is https, under a host name that is ours.

import { isIP } from 'node:net'
import type { Application, Request, Response } from 'express'
import type { Config } from '../config.ts'
import { ConfigError, ProblemError } from '../errors.ts'
import { sendRefusal } from './send-refusal.ts'
import { wantsPage } from './wants-page.ts'

type TransportConfig = Pick<Config, 'origin' | 'production' | 'trustProxy' | 'unsafe'>

/** Answers true where the request may go on; otherwise it has been answered, without a cookie. */
export type TransportCheck = (req: Request, res: Response) => boolean

/** @throws ConfigError (the check) where the app's `trust proxy` is not the configured one */
export function transportCheck(config: TransportConfig): TransportCheck {
  const origin = new URL(config.origin)
  const isHttps = origin.protocol === 'https:'
  const checked = new WeakSet<object>()
  return (req, res) => {
    if (!checked.has(req.app)) {
      assertTrustProxy(config, req.app)
      checked.add(req.app)
    }
    if (isHttps && !req.secure) return refuseInsecure(config, req, res)
    const host = config.trustProxy === 0 ? req.headers.host : req.host
    return host === origin.host || judgeHost(config, origin, { req, res, host })
  }
}

/** Two ideas of how many proxies there are: one of them believes a header that anybody can send. */
function assertTrustProxy({ trustProxy, unsafe }: TransportConfig, app: Application): void {
  const setting: unknown = app.get('trust proxy')
  if (setting === trustProxy || (trustProxy === 0 && (setting === false || setting === undefined))) return
  if (setting === true && unsafe.trustAllProxies) return
  const shown = typeof setting === 'function' ? 'a function' : JSON.stringify(setting)
  throw new ConfigError([
    `the app's 'trust proxy' is ${shown}, the option trustProxy is ${trustProxy}: they must be the same. ` +
      `Call app.set('trust proxy', ${trustProxy}) or pass trustProxy: ${typeof setting === 'number' ? setting : '<number of proxies>'}.`,
  ])
}

/** Over plain http a program would send its password or cookie again and again without noticing; a page is led away from it. */
function refuseInsecure({ origin }: TransportConfig, req: Request, res: Response): false {
  if (wantsPage(req)) res.redirect(308, origin + pathOf(req))
  else sendRefusal(req, res, new ProblemError('insecure_transport', `Plain http is not answered here. Use ${origin}.`))
  return false
}

interface Addressed {
  readonly req: Request
  readonly res: Response
  readonly host: string | undefined
}

function judgeHost({ production, origin }: TransportConfig, ours: URL, { req, res, host }: Addressed): boolean {
  const asked = parseHost(ours.protocol, host)
  if (asked?.host === ours.host) return true
  if (production) {
    // Whatever is built from the Host header (links, redirects, cache keys) would lead to somebody else's site.
    const problem = new ProblemError('misdirected', `This host name is not served here. Use ${origin}.`)
    sendRefusal(req, res, problem)
    return false
  }
  // The cookie of "localhost" is not sent to "127.0.0.1": who is signed in at one is a stranger at the other.
  const isOtherSpelling = asked?.port === ours.port && isLoopback(asked.hostname) && isLoopback(ours.hostname)
  if (!isOtherSpelling || !isRead(req) || !wantsPage(req)) return true
  res.redirect(307, origin + pathOf(req))
  return false
}

/** A path that begins with two slashes is a host for a browser. */
function pathOf({ originalUrl }: Request): string {
  return originalUrl.startsWith('/') ? originalUrl.replace(/^\/+/, '/') : '/'
}

function parseHost(protocol: string, host: string | undefined): URL | undefined {
  return host === undefined ? undefined : (URL.parse(`${protocol}//${host}`) ?? undefined)
}

function isRead({ method }: Request): boolean {
  return method === 'GET' || method === 'HEAD'
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost' || hostname.endsWith('.localhost') || hostname === '[::1]') return true
  return isIP(hostname) === 4 && hostname.startsWith('127.')
}
