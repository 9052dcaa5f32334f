// Calls about the link that proves an e-mail address.

import { unexpected } from './answer.ts'
import type { Client, PocketBasePort, WriteResult } from './port.ts'
import type { Upstream } from './upstream.ts'

export function verificationCalls(
  upstream: Upstream,
): Pick<PocketBasePort, 'requestVerification' | 'confirmVerification'> {
  return {
    requestVerification: (email, client) => requestVerification(upstream, email, client),
    confirmVerification: (token, client) => confirmVerification(upstream, token, client),
  }
}

/** The same for known, unknown and verified addresses. */
async function requestVerification({ ask, collection }: Upstream, email: string, client: Client): Promise<void> {
  const answer = await ask({ name: 'requestVerification', client }, (sdk) =>
    sdk.collection(collection).requestVerification(email),
  )
  if (answer.kind === 'ok' || (answer.kind === 'refused' && answer.status === 400)) return
  throw unexpected('requestVerification', answer)
}

async function confirmVerification({ ask, collection }: Upstream, token: string, client: Client): Promise<WriteResult> {
  const answer = await ask({ name: 'confirmVerification', client }, (sdk) =>
    sdk.collection(collection).confirmVerification(token),
  )
  if (answer.kind === 'ok') return { kind: 'ok', value: undefined }
  if (answer.kind === 'refused' && answer.status === 400) return { kind: 'rejected' }
  throw unexpected('confirmVerification', answer)
}
