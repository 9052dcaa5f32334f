// What the manager reports. The application turns it into audit events.

import type { EndReason } from './reasons.ts'

export interface SessionEvents {
  session_created: { readonly session: string; readonly userId: string | null }
  session_renewed: { readonly session: string; readonly userId: string | null; readonly replaced: string }
  session_ended: {
    readonly session?: string
    readonly userId: string | null
    readonly reason: EndReason
    readonly ended: number
  }
  crypt_decrypt_fail: { readonly session: string; readonly userId: string | null; readonly field: string }
  store_unavailable: { readonly call: string }
}

/** Takes one event. Must not throw. */
export type SessionReport = <Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]) => void
