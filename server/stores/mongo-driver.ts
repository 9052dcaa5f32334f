// The driver (npm package `mongodb`), loaded only where a MongoDB store is used, and its errors without what they give away.

import type * as Mongo from 'mongodb'
import { ConfigError } from '../errors.ts'
import type { MongoConfig } from './mongo-url.ts'

export type MongoDriver = Pick<typeof Mongo, 'MongoClient'>

export const DUPLICATE_KEY = 11_000

/** What went wrong, by name and code. A driver's own message can print keys (E11000), and its causes addresses. */
export class MongoStoreError extends Error {
  override readonly name = 'MongoStoreError'
  readonly code: number | string | undefined

  constructor(message: string, code?: number | string) {
    super(`mongo: ${message}`)
    this.code = code
  }
}

/** @throws ConfigError where the package is not installed. */
export async function loadMongoDriver(): Promise<MongoDriver> {
  try {
    return await import('mongodb')
  } catch (error) {
    if (codeOf(error) !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new ConfigError(['store: a MongoDB store needs the package mongodb: npm install mongodb@7.9.0'])
  }
}

/** Makes a client that is not connected yet. @throws ConfigError where the driver does not take the URL. */
export function createMongoClient(driver: MongoDriver, { url, clientOptions }: MongoConfig): Mongo.MongoClient {
  try {
    return new driver.MongoClient(url, clientOptions)
  } catch (error) {
    throw new ConfigError([
      `store: the MongoDB driver does not take this URL (${nameOf(error)}). Check its hosts and the names and values of its options; characters such as / ? @ in user and password are percent-encoded.`,
    ])
  }
}

/** The error of a call as it may be logged. */
export function toStoreError(call: string, error: unknown): Error {
  if (error instanceof MongoStoreError || error instanceof ConfigError) return error
  const code = codeOf(error)
  const codeText = code === undefined ? '' : `, code ${code}${codeNameOf(error)}`
  return new MongoStoreError(`${call} failed: ${nameOf(error)}${codeText}`, code)
}

export function codeOf(error: unknown): number | string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'number' || typeof code === 'string' ? code : undefined
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}

function codeNameOf(error: unknown): string {
  const name = error instanceof Error && 'codeName' in error ? error.codeName : undefined
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? ` (${name})` : ''
}
