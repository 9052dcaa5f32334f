// Session ids, and the keys under which a store keeps them.

import { hash, randomBytes } from 'node:crypto'

const TAG_LENGTH = 3 // 2 bytes of base64url
const ID = /^[\w-]{46}$/

/** A tag of 2 bytes and 32 random bytes, base64url. A rotation keeps the tag, so that both rows share a slot of a sharded store. */
export function createSessionId(tag = randomBytes(2).toString('base64url')): string {
  return tag + randomBytes(32).toString('base64url')
}

export function tagOf(id: string): string {
  return id.slice(0, TAG_LENGTH)
}

/** Whether it has the form of an id; says nothing about whether it was ever given out. */
export function isSessionId(text: string): boolean {
  return ID.test(text)
}

/** Primary key of a session: the tag and the SHA-256 of the id. The id cannot be found from it. */
export function sessionKey(id: string): string {
  return tagOf(id) + hash('sha256', id, 'base64url')
}

/** A random public id, for lists, logs and URLs. */
export function createHandle(): string {
  return randomBytes(16).toString('base64url')
}
