// The sessions of the signed-in user, by device.

import { signedIn } from '../../controllers/signed-in.ts'
import { isFresh } from '../../sessions/policy.ts'
import { listedSession } from '../../sessions/public-session.ts'
import { fillField } from '../../views/field.ts'
import { PASSWORD } from '../../views/form-fields.ts'
import { deviceItem } from './device-item.ts'
import type { LoadedPage, PageInput } from './page-load.ts'

/** @throws ProblemError `store_unavailable` */
export async function loadDevices({ services, session, extras }: PageInput): Promise<LoadedPage<'devices'>> {
  const { live, user } = signedIn(session)
  const now = services.now()
  const rows = await services.sessions.listByUser(user.id)
  const sessions = rows.map((row) => listedSession(row, live.record.handle)).toSorted(currentFirst)
  const fresh = isFresh(live.record, services.config.session.freshForMs, now)
  const password = fillField('confirm', PASSWORD, extras)
  return {
    model: { sessions, fresh },
    view: {
      sessions: sessions.map((each) => deviceItem(each, now)),
      others: sessions.filter((each) => !each.current).length,
      fresh,
      password,
    },
    fields: fresh ? [] : [password],
  }
}

function currentFirst(a: { readonly current: boolean }, b: { readonly current: boolean }): number {
  return Number(b.current) - Number(a.current)
}
