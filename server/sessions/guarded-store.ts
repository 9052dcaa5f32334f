// Every store call has a deadline, and every failure is "could not look", never "not there".

import { StoreUnavailableError } from '../errors.ts'
import { withDeadline } from '../lib/deadline.ts'
import { isPromise, type MaybePromise } from '../lib/maybe-promise.ts'
import type { SessionReport } from './session-events.ts'
import type { Store } from './store.ts'

export interface GuardedStore {
  /** Runs one call of the store. @throws StoreUnavailableError (`cause` is the store's own error) */
  call<T>(name: string, work: (store: Store) => MaybePromise<T>): MaybePromise<T>
}

/** A call that is synchronous stays synchronous; a promise is given `timeoutMs`. A timed-out write has an unknown outcome. */
export function guardStore(store: Store, timeoutMs: number, report: SessionReport): GuardedStore {
  const failed = (call: string, cause: unknown): StoreUnavailableError => {
    report('store_unavailable', { call })
    return new StoreUnavailableError(cause)
  }
  return {
    call(name, work) {
      try {
        const answer = native(work(store))
        if (!isPromise(answer)) return answer
        const late = () =>
          new Error(`${store.name}: ${name} did not answer within ${timeoutMs} ms; a write may still take effect`)
        return withDeadline(answer, timeoutMs, late).catch((error: unknown) => {
          throw failed(name, error)
        })
      } catch (error) {
        throw failed(name, error)
      }
    },
  }
}

/** A driver may have promises of its own kind; taken for a value, one would look like a session that is not there. */
function native<T>(answer: MaybePromise<T>): MaybePromise<T> {
  const isForeign = typeof answer === 'object' && answer !== null && 'then' in answer && !isPromise(answer)
  return isForeign ? Promise.resolve(answer) : answer
}
