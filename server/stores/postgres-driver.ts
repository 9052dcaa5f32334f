// The driver is an optional peer: loaded when a PostgreSQL store is made, and only then.

import type pg from 'pg'
import { ConfigError } from '../errors.ts'

export type Driver = typeof pg

/** @throws ConfigError where it is not installed. */
export async function loadDriver(): Promise<Driver> {
  try {
    return (await import('pg')).default
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND'
    if (!isMissing) throw error
    throw new ConfigError(['store: a PostgreSQL store needs the package pg: npm install pg@8.23.1'])
  }
}
