import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StoreUnavailableError } from '../../server/errors.ts'
import { createLogger } from '../../server/logger.ts'

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJpZCI6InUxIn0.c2lnbmF0dXJl'
const COOKIE = 's%3AyA0HG6gFik5iZG_PIxQERxSAXZvzTJKuy8UKrhQUcIavtg.69LM5hgbdDdyH0LbZy5PM6757WcZqmp1NgPxC6fbLNM'

function logged(write: (logger: ReturnType<typeof createLogger>) => void): string {
  const lines: string[] = []
  write(createLogger({ level: 'debug', destination: { write: (line) => void lines.push(line) } }))
  return lines.join('')
}

describe('the log', () => {
  it('writes name, code, message and the causes of an error', () => {
    const text = logged((logger) => logger.error({ err: new StoreUnavailableError(new Error('disk full')) }, 'oh'))
    const { err, msg } = JSON.parse(text) as { err: Record<string, unknown>; msg: string }
    assert.equal(msg, 'oh')
    assert.deepEqual([err['name'], err['code'], err['status']], ['StoreUnavailableError', 'store_unavailable', 503])
    assert.equal((err['cause'] as Record<string, unknown>)['message'], 'disk full')
  })

  it('leaves out what an error carries beside that', () => {
    const error = Object.assign(new Error('refused'), { response: { token: JWT }, config: { password: 'hunter2' } })
    const text = logged((logger) => logger.error({ err: error }))
    assert.doesNotMatch(text, /hunter2|eyJ/)
  })

  it('removes tokens, session cookies and credentials in URLs from messages', () => {
    const message = `${JWT} of ${COOKIE} at https://root:hunter2@db.example.test/x`
    const text = logged((logger) => logger.error({ err: new Error(message, { cause: new Error(message) }) }))
    assert.doesNotMatch(text, /eyJ|s%3A|hunter2/)
    assert.match(text, /db\.example\.test/)
  })

  it('does the same for an error without a word beside it, and for plain text', () => {
    const error = Object.assign(new Error(`token ${JWT}`), { response: { secret: 'hunter2' } })
    assert.doesNotMatch(
      logged((logger) => logger.error(error)),
      /eyJ|hunter2/,
    )
    assert.doesNotMatch(
      logged((logger) => logger.warn({}, `token ${JWT}`)),
      /eyJ/,
    )
  })

  it('hides fields whose names say that they are secret', () => {
    const text = logged((logger) => logger.info({ password: 'hunter2', token: JWT, cookie: COOKIE }))
    assert.doesNotMatch(text, /hunter2|eyJ|s%3A/)
  })
})
