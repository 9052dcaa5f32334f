// What PostgreSQL, as it is set up, could lose of what it has acknowledged.

import type { Exec } from './postgres-schema.ts'

/** Setting → the value that keeps promises, and what another one means. */
const SETTINGS: Readonly<Record<string, { readonly good: (value: string) => boolean; readonly otherwise: string }>> = {
  synchronous_commit: {
    good: (value) => value !== 'off',
    otherwise: 'a crash of the server undoes the last moments: a logout that was answered can be undone. Set it to on',
  },
  fsync: {
    good: (value) => value === 'on',
    otherwise: 'a power cut can damage the database and undo any logout. Set it to on',
  },
  full_page_writes: {
    good: (value) => value === 'on',
    otherwise: 'a power cut can leave half-written pages behind. Set it to on, unless the file system prevents them',
  },
}

export async function findWarnings(exec: Exec): Promise<readonly string[]> {
  const names = Object.keys(SETTINGS).map((name) => `'${name}'`)
  const rows = await exec(`SELECT name, setting FROM pg_settings WHERE name IN (${names.join(', ')}) ORDER BY name`)
  return rows.flatMap(([name, value]) => {
    const setting = SETTINGS[name ?? '']
    return setting === undefined || setting.good(value ?? '')
      ? []
      : [`PostgreSQL runs with ${name}=${value}: ${setting.otherwise}`]
  })
}
