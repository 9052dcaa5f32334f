// How every call reaches PocketBase: a client of its own, a deadline, and one of the known kinds of answer.

import { availableParallelism } from 'node:os'
import { ClientResponseError } from 'pocketbase'
import type PocketBase from 'pocketbase'
import type { Config } from '../config.ts'
import type { Logger } from '../logger.ts'
import { answerOf } from './answer.ts'
import type { Answer } from './answer.ts'
import { LoginGate } from './login-gate.ts'
import type { Client } from './port.ts'
import { createSdk } from './sdk.ts'

export interface Call {
  /** For the log. */
  readonly name: string
  readonly client: Client
  readonly token?: string
  /** It makes PocketBase hash: it waits in line, and has the longer deadline. */
  readonly passwordCheck?: boolean
  /** It is the next of those that wait. */
  readonly isNext?: boolean
}

export interface Upstream {
  readonly collection: string
  readonly profile: Config['profile']
  readonly logger: Logger
  /** @throws PocketBaseUnavailableError, ProblemError rate_limited */
  readonly ask: <T>(call: Call, work: (sdk: PocketBase) => Promise<T>) => Promise<Answer<T>>
}

/** What the port needs of the configuration. `profile` is read at every call: it may turn out to be missing. */
export type UpstreamConfig = Pick<Config, 'pocketbase' | 'profile' | 'logger'>

export function createUpstream(config: UpstreamConfig): Upstream {
  const { logger, pocketbase } = config
  const gate = new LoginGate({ places: pocketbase.concurrentLogins || availableParallelism() })

  async function send<T>(call: Call, work: (sdk: PocketBase) => Promise<T>): Promise<Answer<T>> {
    const timeoutMs = call.passwordCheck === true ? pocketbase.loginTimeoutMs : pocketbase.timeoutMs
    const { client, token } = call
    const sdk = createSdk({ url: pocketbase.url, timeoutMs, client, ...(token === undefined ? {} : { token }) })
    try {
      return { kind: 'ok', value: await work(sdk) }
    } catch (error) {
      return answerOf(error)
    }
  }

  async function ask<T>(call: Call, work: (sdk: PocketBase) => Promise<T>): Promise<Answer<T>> {
    try {
      return await (call.passwordCheck === true
        ? gate.run(() => send(call, work), { isNext: call.isNext === true })
        : send(call, work))
    } catch (error) {
      logger.warn({ call: call.name, why: reasonOf(error) }, 'PocketBase could not be asked')
      throw error
    }
  }

  return {
    collection: pocketbase.collection,
    get profile() {
      return config.profile
    },
    logger,
    ask,
  }
}

/** By allow-list: the SDK's error holds the request, and with it what the visitor typed. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (!(cause instanceof ClientResponseError)) return cause instanceof Error ? cause.message : String(error)
  if (cause.status !== 0) return `status ${cause.status}`
  const original: unknown = cause.originalError
  if (!(original instanceof Error)) return 'no answer'
  const { cause: system } = original
  return system instanceof Error && 'code' in system ? String(system.code) : `${original.name}: ${original.message}`
}
