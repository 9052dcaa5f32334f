// The port to PocketBase over the official SDK.

import { withProfile } from './missing-profile.ts'
import { passwordCalls } from './passwords.ts'
import type { PocketBasePort } from './port.ts'
import { profileCalls } from './profile-calls.ts'
import { registrationCall } from './registration.ts'
import { report } from './report.ts'
import { tokenCalls } from './token-calls.ts'
import { createUpstream } from './upstream.ts'
import type { Upstream, UpstreamConfig } from './upstream.ts'
import { userCalls } from './user-calls.ts'
import { verificationCalls } from './verification.ts'

/** Talks to one PocketBase, with or without our hooks. Connects to nothing until it is asked something. */
export function createPocketBase(config: UpstreamConfig): PocketBasePort {
  const upstream = createUpstream(config)
  const profiles = profileCalls(upstream)
  const passwords = passwordCalls(upstream)
  const hasHooks = hookProbe(upstream)
  return {
    url: config.pocketbase.url,
    collection: config.pocketbase.collection,
    ...passwords,
    authWithPassword: withProfile(upstream, hasHooks, passwords.authWithPassword),
    ...tokenCalls(upstream),
    ...verificationCalls(upstream),
    ...profiles,
    ...userCalls(upstream),
    register: registrationCall(upstream, { hasHooks, setProfile: profiles.setProfile }),
    report: () => report(upstream),
  }
}

/** Hooks that are there stay there; where they are missing they may be added while we run. */
function hookProbe(upstream: Upstream): () => Promise<boolean> {
  let known = false
  return async () => {
    if (!known) known = (await report(upstream)).hooks
    return known
  }
}
