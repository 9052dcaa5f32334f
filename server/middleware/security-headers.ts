// Security headers by helmet, every one of them chosen here, with a Content-Security-Policy of one nonce per answer.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'
import helmet, { type HelmetOptions } from 'helmet'
import type { Config } from '../config.ts'

const TWO_YEARS_SECONDS = 63_072_000
/** Nothing of this is used by our pages; what a page does not need, an injected script shall not have either. */
const PERMISSIONS = ['camera', 'display-capture', 'geolocation', 'microphone', 'payment', 'usb']
  .map((feature) => `${feature}=()`)
  .join(', ')

/** A source for the policy: `'nonce-…'` of this answer. */
type Source = string | ((req: IncomingMessage, res: ServerResponse) => string)

/**
 * Sets the security headers, and `res.locals.cspNonce` for inline scripts and styles. No script or style runs without it;
 * nobody may frame the answer; forms go to our own origin only.
 */
export function securityHeaders({ config }: { readonly config: Pick<Config, 'origin'> }): RequestHandler {
  const setHeaders = helmet(helmetOptions(config.origin.startsWith('https://')))
  return function securityHeadersMiddleware(req, res, next) {
    res.locals['cspNonce'] = randomBytes(18).toString('base64url')
    res.setHeader('Permissions-Policy', PERMISSIONS)
    setHeaders(req, res, next)
  }
}

function helmetOptions(isHttps: boolean): HelmetOptions {
  return {
    contentSecurityPolicy: { useDefaults: false, directives: policy() },
    // A page that opens ours gets no handle on it, and nobody embeds our answers.
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    crossOriginEmbedderPolicy: false,
    originAgentCluster: true,
    // Paths stay with us: some of them are private.
    referrerPolicy: { policy: 'same-origin' },
    // Over plain http a browser ignores it; a development server must not ask for it.
    strictTransportSecurity: isHttps ? { maxAge: TWO_YEARS_SECONDS, includeSubDomains: true, preload: false } : false,
    xContentTypeOptions: true,
    xFrameOptions: { action: 'deny' },
    xPoweredBy: true,
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  }
}

function policy(): Record<string, readonly Source[]> {
  // Express makes the response, so it has `locals`.
  const nonce: Source = (_req, res) => `'nonce-${String((res as ServerResponse & WithNonce).locals.cspNonce)}'`
  return {
    'default-src': ["'none'"],
    'script-src': [nonce, "'strict-dynamic'"],
    'style-src': [nonce],
    'img-src': ["'self'", 'data:'],
    'connect-src': ["'self'"],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
    'form-action': ["'self'"],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"],
    'require-trusted-types-for': ["'script'"],
  }
}

interface WithNonce {
  readonly locals: { readonly cspNonce?: unknown }
}
