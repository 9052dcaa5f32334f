// The project's source files as text, and what each imports, for the rules in this folder.

import { glob, readFile } from 'node:fs/promises'
import { dirname, join, normalize } from 'node:path/posix'

export interface SourceFile {
  /** From the project's root, `server/lib/duration.ts`. */
  readonly path: string
  readonly text: string
  readonly imports: readonly Import[]
}

export interface Import {
  /** From the project's root for our own files; as written for packages and `node:` modules. */
  readonly from: string
  readonly typeOnly: boolean
}

const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[^'"()]*?\sfrom\s+)?'([^']+)'/gm
const DYNAMIC = /\bimport\(\s*'([^']+)'/g

export async function readSources(...patterns: readonly string[]): Promise<readonly SourceFile[]> {
  const files: SourceFile[] = []
  for await (const path of glob(patterns, { exclude: ['**/node_modules/**'] })) {
    const text = await readFile(path, 'utf8')
    files.push({ path, text, imports: importsOf(path, text) })
  }
  return files.toSorted((a, b) => a.path.localeCompare(b.path))
}

/** Whether a path lies in one of the folders or is one of the files. */
export function isIn(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(place.endsWith('/') ? place : `${place}/`))
}

function importsOf(path: string, text: string): readonly Import[] {
  const resolve = (from: string): string => (from.startsWith('.') ? normalize(join(dirname(path), from)) : from)
  const imports = Array.from(text.matchAll(STATEMENT), ([, type, from = '']) => ({
    from: resolve(from),
    typeOnly: type !== undefined,
  }))
  for (const [, from = ''] of text.matchAll(DYNAMIC)) imports.push({ from: resolve(from), typeOnly: false })
  return imports
}
