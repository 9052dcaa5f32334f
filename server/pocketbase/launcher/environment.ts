// What PocketBase is told by its environment: an allow-list of ours, and the settings that our bootstrap hook reads.

import { parseSender } from '../../mail-settings.ts'
import type { Superuser } from './superuser-file.ts'

export interface PocketBaseSettings {
  /** The public origin: mails link to it. */
  readonly appUrl: string
  readonly appName: string
  /** `smtp://user:password@host:587` or `smtps://…`; without it mails are written to `mailDir`. */
  readonly smtpUrl: string | null
  readonly mailDir: string
  /** `App <app@example.com>`. */
  readonly mailFrom: string | null
  /** Life of an auth token. */
  readonly tokenLifeMs: number | null
  readonly superuser: Superuser
}

/** What a program needs of its surroundings. Nothing else is passed on: our own environment holds secrets. */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TZ', 'LANG', 'SSL_CERT_FILE', 'SSL_CERT_DIR', 'SYSTEMROOT', 'TEMP']

/** The environment of the child, by allow-list from `own`. */
export function childEnvironment(own: NodeJS.ProcessEnv, settings: PocketBaseSettings): Record<string, string> {
  const passedOn = PASSED_ON.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]] as const]))
  return { ...Object.fromEntries(passedOn), ...settingVariables(settings) }
}

function settingVariables(settings: PocketBaseSettings): Record<string, string> {
  const { superuser, tokenLifeMs, smtpUrl } = settings
  return {
    PB_APP_URL: settings.appUrl,
    PB_TRUSTED_HEADER: 'X-Real-IP',
    PB_SUPERUSER_EMAIL: superuser.email,
    PB_SUPERUSER_PASSWORD: superuser.password,
    ...(tokenLifeMs === null ? {} : { PB_AUTH_TOKEN_SECONDS: String(Math.ceil(tokenLifeMs / 1000)) }),
    ...sender(settings),
    ...(smtpUrl === null ? { PB_MAIL_DIR: settings.mailDir } : smtp(new URL(smtpUrl))),
  }
}

/** The texts of the mails call the app by the name that they come from. */
function sender({ mailFrom, appName, appUrl }: PocketBaseSettings): Record<string, string> {
  const given = mailFrom === null ? null : parseSender(mailFrom)
  const name = given?.name || appName
  return { PB_APP_NAME: name, PB_SENDER_NAME: name, PB_SENDER_ADDRESS: given?.address ?? defaultSender(appUrl) }
}

/** PocketBase takes no address without a dot. */
function defaultSender(appUrl: string): string {
  const { hostname } = new URL(appUrl)
  return `noreply@${/^[\w-]+(\.[\w-]+)*\.[a-z]+$/i.test(hostname) ? hostname : 'localhost.localdomain'}`
}

/** `smtps:` speaks TLS from the first byte; `smtp:` is raised to TLS by STARTTLS where the server offers it. */
function smtp(url: URL): Record<string, string> {
  const tls = url.protocol === 'smtps:'
  return {
    PB_SMTP_HOST: url.hostname,
    PB_SMTP_PORT: url.port || (tls ? '465' : '587'),
    PB_SMTP_USERNAME: decodeURIComponent(url.username),
    PB_SMTP_PASSWORD: decodeURIComponent(url.password),
    PB_SMTP_TLS: tls ? '1' : '0',
  }
}
