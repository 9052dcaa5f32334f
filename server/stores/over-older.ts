// The end of an INSERT of copied sessions, the same in SQLite and PostgreSQL.

/**
 * Writes over a live row that is an earlier state of the same session; an ended row is never changed.
 * @param columns of the INSERT but `fields`, with the key first
 */
export function overOlder(table: string, columns: string): string {
  const [key, ...others] = `${columns}, fields`.split(',').map((name) => name.trim())
  const assignments = others.map((name) => `${name} = excluded.${name}`)
  const isOlder = (name: string): string => `excluded.${name} > ${table}.${name}`
  return `ON CONFLICT (${key}) DO UPDATE SET ${assignments.join(', ')}
    WHERE ${table}.end_reason IS NULL AND (excluded.end_reason IS NOT NULL OR ${isOlder('version')}
      OR (excluded.version = ${table}.version AND (${isOlder('last_seen_at')} OR ${isOlder('idle_expires_at')})))`
}
