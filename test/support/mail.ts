// A real SMTP server in the test: what PocketBase sends is received, parsed and kept.

import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

export interface Mail {
  readonly to: string
  readonly from: string
  readonly subject: string
  readonly html: string
  readonly text: string
  /** Every address that the mail links to. */
  readonly links: readonly URL[]
}

export interface MailServer {
  /** For SMTP_URL. */
  readonly url: string
  readonly port: number
  /** In the order of arrival. */
  readonly messages: readonly Mail[]
  /** The first mail not taken yet that fits, now or when it arrives; it is taken then. */
  next(predicate?: (mail: Mail) => boolean): Promise<Mail>
  close(): Promise<void>
}

const ARRIVAL_TIMEOUT_MS = 10_000

export async function startMailServer(): Promise<MailServer> {
  const messages: Mail[] = []
  const taken = new Set<Mail>()
  const arrivals = new EventEmitter()
  // A test may wait for many mails at once.
  arrivals.setMaxListeners(0)
  const receive = (mail: Mail): void => {
    messages.push(mail)
    arrivals.emit('mail')
  }
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    logger: false,
    onData(stream, _session, callback) {
      void parseMail(stream)
        .then(receive)
        .then(() => callback(), callback)
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  // An address of a TCP server is never a string.
  const { port } = server.server.address() as AddressInfo

  async function next(predicate: (mail: Mail) => boolean = () => true): Promise<Mail> {
    const signal = AbortSignal.timeout(ARRIVAL_TIMEOUT_MS)
    for (;;) {
      const found = messages.find((mail) => !taken.has(mail) && predicate(mail))
      if (found !== undefined) {
        taken.add(found)
        return found
      }
      await once(arrivals, 'mail', { signal })
    }
  }

  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    messages,
    next,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

/** The token of the link in a mail. */
export function tokenIn(mail: Mail): string {
  const token = mail.links.map((link) => link.searchParams.get('token')).find((value) => value !== null)
  if (token === undefined || token === null) throw new Error(`no link with a token in "${mail.subject}"`)
  return token
}

/** A mail as it came over the wire, or from an .eml file. */
export async function parseMail(source: Parameters<typeof simpleParser>[0]): Promise<Mail> {
  const parsed = await simpleParser(source)
  const html = parsed.html || ''
  return {
    to: addressText(parsed.to),
    from: addressText(parsed.from),
    subject: parsed.subject ?? '',
    html,
    text: parsed.text ?? '',
    links: [...html.matchAll(/href="([^"]+)"/g)].map(([, href]) => new URL((href ?? '').replaceAll('&amp;', '&'))),
  }
}

function addressText(value: { readonly text: string } | readonly { readonly text: string }[] | undefined): string {
  return [value ?? []]
    .flat()
    .map((address) => address.text)
    .join(', ')
}
