// The hold alone, around responses of a real server.

import assert from 'node:assert/strict'
import { createServer, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { describe, test, type TestContext } from 'node:test'
import { createGzip, gunzipSync } from 'node:zlib'
import { ProblemError } from '../../../server/errors.ts'
import { Hold, type HoldHooks } from '../../../server/middleware/hold.ts'
import { send } from '../../support/http-client.ts'

const PROBLEM = new ProblemError('internal', 'refused')
const BIG = 'x'.repeat(200_000)

interface Setup {
  readonly hooks?: Partial<HoldHooks>
  readonly before?: (res: ServerResponse) => void
  readonly handler: (res: ServerResponse) => void
}

async function serve(t: TestContext, { hooks, before, handler }: Setup): Promise<string> {
  const server = createServer((_req, res) => {
    before?.(res)
    const hold = new Hold(res)
    const none = { commit: () => null, head: () => {}, finish: () => {}, broken: () => {} }
    const refuse = (problem: ProblemError): void => void res.writeHead(problem.status).end(problem.message)
    hold.arm({ ...none, refuse, ...hooks })
    handler(res)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP server has a port
}

/** A commit that the test lets end. */
function pendingCommit() {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<ProblemError | null>()
  const commit = (): Promise<ProblemError | null> => {
    asked.resolve()
    return answer.promise
  }
  return { commit, asked: asked.promise, settle: answer.resolve }
}

/** Compresses as the `compression` middleware does: with a stream of its own, to which it hands 'drain' listeners. */
function compress(res: ServerResponse): void {
  const gzip = createGzip()
  const own = { write: res.write.bind(res), end: res.end.bind(res), on: res.on.bind(res) }
  const isWritten = new Set<string>()
  gzip.on('data', (chunk: Buffer) => void own.write(chunk))
  gzip.on('end', () => void own.end())
  const begin = (): void => {
    if (isWritten.has('head')) return
    isWritten.add('head')
    res.setHeader('Content-Encoding', 'gzip')
  }
  Object.assign(res, {
    write: (chunk: string) => (begin(), gzip.write(chunk)),
    end: (chunk?: string) => (begin(), gzip.end(chunk), res),
    on: (event: string, listener: () => void) => (
      event === 'drain' ? gzip.on(event, listener) : own.on(event, listener),
      res
    ),
  })
}

describe('while the commit runs', () => {
  test('nothing leaves, write asks for patience, and all goes in order afterwards', async (t) => {
    const { commit, asked, settle } = pendingCommit()
    const seen: unknown[] = []
    const origin = await serve(t, {
      hooks: { commit },
      handler(res) {
        seen.push(res.write('1'), res.headersSent, res.writableEnded)
        res.write('2')
        res.end('3')
        seen.push(res.writableEnded)
      },
    })
    const pending = send(origin, '/')
    await asked
    settle(null)
    assert.equal((await pending).text, '123')
    assert.deepEqual(seen, [false, true, false, true])
  })

  for (const [name, before] of [
    ['by itself', undefined],
    ['behind middleware that compresses', compress],
  ] as const) {
    test(`a piped stream waits for 'drain' and then goes on, ${name}`, async (t) => {
      const { commit, asked, settle } = pendingCommit()
      const origin = await serve(t, {
        hooks: { commit },
        ...(before && { before }),
        handler: (res) => void Readable.from(['one', BIG, BIG]).pipe(res),
      })
      const got = new Promise<Buffer>((resolve, reject) => {
        request(origin, { agent: false }, (res) => {
          const chunks: Buffer[] = []
          res.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)))
        })
          .on('error', reject)
          .end()
      })
      await asked
      await new Promise((resolve) => setImmediate(resolve))
      settle(null)
      const bytes = await got
      assert.equal((before === undefined ? bytes : gunzipSync(bytes)).length, 2 * BIG.length + 3)
    })
  }

  test('no more than the first chunk of a stream is taken', async (t) => {
    const { commit, asked, settle } = pendingCommit()
    let chunks = 0
    const source = new Readable({
      read() {
        chunks += 1
        this.push(chunks > 50 ? null : BIG)
      },
    })
    const origin = await serve(t, { hooks: { commit }, handler: (res) => void source.pipe(res) })
    const pending = send(origin, '/')
    await asked
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(chunks < 5, `${chunks} chunks were read`)
    settle(null)
    assert.equal((await pending).text.length, 50 * BIG.length)
  })

  test('a visitor who leaves harms nobody', async (t) => {
    const { commit, asked, settle } = pendingCommit()
    const closed = Promise.withResolvers<void>()
    const origin = await serve(t, {
      hooks: { commit },
      handler(res) {
        res.on('close', closed.resolve)
        Readable.from([BIG, BIG]).pipe(res)
      },
    })
    const req = request(origin, { agent: false }).on('error', () => {})
    req.end()
    await asked
    req.destroy()
    await closed.promise
    settle(null)
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('a call that cannot be let go is reported and closes the connection, and does not end the process', async (t) => {
    const { commit, asked, settle } = pendingCommit()
    const broken = Promise.withResolvers<unknown>()
    const origin = await serve(t, {
      hooks: { commit, broken: broken.resolve },
      handler: (res) => void Reflect.apply(res.write, res, [{ not: 'a chunk' }]),
    })
    const pending = assert.rejects(send(origin, '/'))
    await asked
    settle(null)
    assert.ok((await broken.promise) instanceof TypeError)
    await pending
  })
})

describe('a refusal', () => {
  for (const isLate of [false, true]) {
    test(`replaces the answer, and the rest of it goes nowhere, ${isLate ? 'later' : 'at once'}`, async (t) => {
      const called: string[] = []
      const drained = Promise.withResolvers<void>()
      const origin = await serve(t, {
        hooks: { commit: () => (isLate ? Promise.resolve(PROBLEM) : PROBLEM) },
        handler(res) {
          res.setHeader('X-Kept', '1')
          res.write('one', () => called.push('write'))
          res.end('two', () => {
            called.push('end')
            drained.resolve()
          })
        },
      })
      const answer = await send(origin, '/')
      assert.equal(answer.status, 500)
      assert.equal(answer.text, 'refused')
      await drained.promise
      assert.deepEqual(called, ['write', 'end'])
    })
  }
})

test('the end of a stream waits for what has changed since its first byte', async (t) => {
  const order: string[] = []
  const origin = await serve(t, {
    hooks: {
      finish: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        order.push('finished')
      },
    },
    handler(res) {
      res.flushHeaders()
      res.write('a')
      res.end('b', () => order.push('ended'))
      res.write('after the end')
      res.end('again')
    },
  })
  assert.equal((await send(origin, '/')).text, 'ab')
  assert.deepEqual(order, ['finished', 'ended'])
})

test('writeHead sends nothing yet, but looks as if it had', async (t) => {
  const seen: boolean[] = []
  const origin = await serve(t, {
    hooks: { commit: () => PROBLEM },
    handler(res) {
      res.writeHead(200, 'Fine', { 'X-A': 'b' })
      seen.push(res.headersSent)
      res.end()
    },
  })
  assert.equal((await send(origin, '/')).status, 500)
  assert.deepEqual(seen, [true])
})

test('an answer without a byte before its end is committed once', async (t) => {
  const calls: string[] = []
  const hooks = {
    commit: () => (calls.push('commit'), Promise.resolve(null)),
    finish: () => void calls.push('finish'),
    head: () => void calls.push('head'),
  }
  const origin = await serve(t, { hooks, handler: (res) => void res.end('x') })
  assert.equal((await send(origin, '/')).text, 'x')
  assert.deepEqual(calls, ['commit', 'head'])
})

test('a hold that is never armed passes everything on', async (t) => {
  const server = createServer((_req, res) => {
    assert.ok(new Hold(res))
    res.writeHead(201, { 'X-A': 'b' })
    assert.equal(res.write('one'), true)
    res.end('two', () => seen.resolve())
  })
  const seen = Promise.withResolvers<void>()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => new Promise((resolve) => server.close(resolve)))
  const answer = await send(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/')
  assert.equal(answer.status, 201)
  assert.equal(answer.headers['x-a'], 'b')
  assert.equal(answer.text, 'onetwo')
  await seen.promise
})
