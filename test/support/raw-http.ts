// HTTP by hand: bytes that no client library sends, such as two Host headers or a path of broken UTF-8.

import { connect } from 'node:net'

export interface RawAnswer {
  /** 0 where the server closed the connection without an answer. */
  readonly status: number
  /** Lower-case names; a header that came twice stands twice. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

/** Sends the lines of a head and a body as they are (one byte a character), and reads until the server closes. */
export function sendRaw(origin: string, lines: readonly string[], body = ''): Promise<RawAnswer> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(Number(port), hostname, () => {
      socket.write(Buffer.from(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n${body}`, 'latin1'))
    })
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', reject)
    socket.on('end', () => resolve(parse(Buffer.concat(chunks).toString('latin1'))))
  })
}

/** The first value of a header. */
export function headerOf({ headers }: RawAnswer, name: string): string | undefined {
  return headers.find(([each]) => each === name)?.[1]
}

function parse(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n')
  const [first = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line) => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
  })
  return { status: Number(first.split(' ')[1] ?? 0), headers, body: rest.join('\r\n\r\n') }
}
