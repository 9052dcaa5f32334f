// No figure of a server that gives wrong answers: each is asked for several users, for none, and for an ended session.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { MeasuredServer } from './measured-server.ts'
import { themeOf, userId } from './session-content.ts'
import { BARE, type Row, type Subject } from './subjects.ts'

/** @throws AssertionError naming the server */
export async function checkServer(
  server: MeasuredServer,
  subject: Subject,
  paths: ReadonlySet<Row['path']>,
): Promise<void> {
  const ask = asker(server)
  const name = `${subject.id}: `
  if (subject === BARE) return assert.equal((await ask('/me')).status, 200, name)
  const cookies = readFileSync(server.cookieFile, 'utf8').trimEnd().split('\n')
  assert.equal(cookies.length, subject.sessions, `${name}sessions`)
  // The first, the last, and two in between, twice: the second time from a cache, where there is one.
  const some = [0, 1, Math.floor(subject.sessions / 2), subject.sessions - 1]
  for (const n of [...some, ...some]) {
    const { status, body } = await ask('/me', cookies[n])
    assert.deepEqual([status, body['id']], [200, userId(n)], `${name}user ${n}`)
    if (paths.has('/theme')) assert.equal((await ask('/theme', cookies[n])).body['theme'], themeOf(n), `${name}theme`)
  }
  assert.equal((await ask('/me')).status, 401, `${name}without a cookie`)
  assert.equal((await ask('/me', tampered(cookies[0] ?? ''))).status, 401, `${name}a forged cookie`)
  if (paths.has('/visits')) await checkVisits(ask, cookies)
  assert.equal(server.dead !== null, subject.canEnd, `${name}whether it can end a session`)
  if (server.dead !== null) assert.equal((await ask('/me', server.dead)).status, 401, `${name}an ended session`)
}

type Ask = (
  path: string,
  cookie?: string,
) => Promise<{ readonly status: number; readonly body: Record<string, unknown> }>

function asker(server: MeasuredServer): Ask {
  return async (path, cookie) => {
    const answer = await fetch(server.url + path, { headers: cookie === undefined ? {} : { cookie } })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> } // our own servers answer objects
  }
}

/** What is written is there in the next request, and in no other session. */
async function checkVisits(ask: Ask, [first, second]: readonly string[]): Promise<void> {
  const visit = async (cookie?: string): Promise<unknown> => (await ask('/visits', cookie)).body['visits']
  assert.deepEqual([await visit(first), await visit(first), await visit(second)], [1, 2, 1], 'written fields')
}

/** Another character in the middle of the value. */
function tampered(cookie: string): string {
  const middle = Math.floor((cookie.indexOf('=') + cookie.search(/;|$/)) / 2)
  return cookie.slice(0, middle) + (cookie[middle] === 'A' ? 'B' : 'A') + cookie.slice(middle + 1)
}
