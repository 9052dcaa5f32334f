// What the environment says of mails: the server that sends them, and who they are from.

export interface MailVariables {
  readonly smtpUrl: string | null
  readonly mailFrom: string | null
}

export interface Sender {
  /** Empty where only an address was given. */
  readonly name: string
  readonly address: string
}

/** `App <app@example.com>` or `app@example.com`; `null` for anything else. */
export function parseSender(text: string): Sender | null {
  const [, name = '', address = ''] = /^\s*(?:"?([^"<]*?)"?\s*<([^<>\s]+)>)\s*$/.exec(text) ?? ['', '', text.trim()]
  // PocketBase does not start with an address without a dot.
  return /^[^\s@<>",;]+@[^\s@<>",;]+\.[^\s@<>",;.]+$/.test(address) ? { name, address } : null
}

/** What is wrong, by variable. */
export function findMailProblems({ smtpUrl, mailFrom }: MailVariables): readonly string[] {
  const problems: string[] = []
  if (smtpUrl !== null && !isSmtpUrl(smtpUrl)) problems.push('SMTP_URL: must be like smtp://user:password@host:587')
  if (mailFrom !== null && parseSender(mailFrom) === null) {
    problems.push('MAIL_FROM: must be an address like app@example.com or App <app@example.com>')
  }
  return problems
}

function isSmtpUrl(text: string): boolean {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '') return false
  return isEncoded(url.username) && isEncoded(url.password)
}

/** A `%` that is part of a password has to be written `%25`. */
function isEncoded(text: string): boolean {
  return !/%(?![\da-f]{2})/i.test(text)
}
