// The keys of one purpose, one for each configured secret, derived once.

import { deriveKey } from './keyed-mac.ts'

const known = new WeakMap<readonly string[], Map<string, DerivedKeys>>()

/** Newest first: the first makes, all are accepted. */
export type DerivedKeys = readonly [Buffer, ...Buffer[]]

/** Keys for `purpose`. `secrets` is the configured list itself: the answer is remembered for it. */
export function derivedKeys(secrets: readonly string[], purpose: string): DerivedKeys {
  const byPurpose = known.get(secrets) ?? new Map<string, DerivedKeys>()
  known.set(secrets, byPurpose)
  const keys = byPurpose.get(purpose) ?? derive(secrets, purpose)
  byPurpose.set(purpose, keys)
  return keys
}

function derive(secrets: readonly string[], purpose: string): DerivedKeys {
  const [newest, ...older] = secrets.map((secret) => deriveKey(secret, `pocketbase-session/${purpose}`))
  if (newest === undefined) throw new TypeError('at least one secret is needed')
  return [newest, ...older]
}
