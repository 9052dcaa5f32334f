// The kinds of test: what each may use, how many files of it run at a time, how long it may take.

import { glob, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import type { Need } from './test-needs.ts'

export interface TestKind {
  readonly name: string
  readonly needs: readonly Need[]
  /** Test files that run at the same time. One where a test watches the clock or loads the machine by itself. */
  readonly concurrency: number
  readonly limitMs: number
}

const cores = availableParallelism()
const minutes = (count: number): number => count * 60_000

/** In the order of a full run: what fails fast comes first. */
export const TEST_KINDS: readonly TestKind[] = [
  { name: 'architecture', needs: [], concurrency: cores, limitMs: minutes(2) },
  { name: 'unit', needs: [], concurrency: cores, limitMs: minutes(6) },
  { name: 'package', needs: [], concurrency: 1, limitMs: minutes(5) },
  {
    name: 'stores',
    needs: ['PocketBase', 'PostgreSQL', 'Redis', 'SecantusDB'],
    concurrency: cores,
    limitMs: minutes(15),
  },
  { name: 'integration', needs: ['PocketBase'], concurrency: cores, limitMs: minutes(10) },
  { name: 'security', needs: ['PocketBase'], concurrency: cores, limitMs: minutes(10) },
  { name: 'browser', needs: ['PocketBase', 'Chromium'], concurrency: 1, limitMs: minutes(8) },
  { name: 'load', needs: ['PocketBase'], concurrency: 1, limitMs: minutes(8) },
]

/** The test files of a kind, sorted; with `only`, those whose path contains one of its parts. */
export async function filesOf(kind: TestKind, only: readonly string[]): Promise<readonly string[]> {
  const parts = only.map((part) => part.replace(/^\.\//, ''))
  const files: string[] = []
  for await (const file of glob(`test/${kind.name}/**/*.test.ts`)) {
    if (parts.length === 0 || parts.some((part) => file.includes(part))) files.push(file)
  }
  return files.toSorted()
}

/** Names of the tests in a file that cannot be run, as far as they are written out. */
export async function testNames(file: string): Promise<readonly string[]> {
  const source = await readFile(file, 'utf8')
  const names = Array.from(source.matchAll(/^\s*(?:test|it)\(\s*(['"`])(.+?)\1/gm), (match) => match[2] ?? '')
  return names.length > 0 ? names : ['all tests']
}
