// Raw HTTP: sends exactly the headers that a test names, unlike fetch, which adds some of its own.

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'

export interface Sent {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The lines of Set-Cookie. */
  readonly cookies: readonly string[]
  readonly text: string
  /** The body read as JSON. */
  json(): Readonly<Record<string, unknown>>
}

/** Sends one request on a connection of its own. `path` goes out as it is: `//x` and `/a/../b` too. */
export function send(origin: string, path: string, { method = 'GET', headers = {}, body }: Sent = {}): Promise<Answer> {
  const { hostname, port } = new URL(origin)
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const req = httpRequest(
      { hostname, port, path, method, agent: false, headers: { ...length, ...headers } },
      (res) => {
        const chunks: Buffer[] = []
        res.on('data', (chunk: Buffer) => chunks.push(chunk))
        res.on('error', reject)
        res.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          resolve({
            status: res.statusCode ?? 0,
            headers: res.headers,
            cookies: res.headers['set-cookie'] ?? [],
            text,
            json: () => JSON.parse(text) as Record<string, unknown>, // what a test asserts on
          })
        })
      },
    )
    req.on('error', reject)
    req.end(body)
  })
}

/** The `name=value` that a browser would send back for a line of Set-Cookie. */
export function cookiePair(answer: Answer, name: string): string {
  const line = answer.cookies.find((each) => each.startsWith(`${name}=`))
  if (line === undefined) throw new Error(`no cookie ${name} was set`)
  return line.split(';')[0] ?? ''
}
