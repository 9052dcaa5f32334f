// Sizes, names and habits of source files that a reader may rely on.

import assert from 'node:assert/strict'
import { basename } from 'node:path/posix'
import test from 'node:test'
import { isIn, readSources, type SourceFile } from './sources.ts'

const server = await readSources('server/**/*.ts')
const tests = await readSources('test/**/*.ts')
const others = await readSources('scripts/*.{ts,mjs}', 'examples/**/*.ts', 'bench/**/*.ts')
const all = [...server, ...tests, ...others]

const MAX_LINES = 350
const MAX_TEST_LINES = 500

/** Everything that decides something by the time gets it from `now()` of the services. */
const RULES = [
  'server/lib',
  'server/sessions',
  'server/stores',
  'server/identity',
  'server/identity.ts',
  'server/controllers',
  'server/middleware',
  'server/routes',
  'server/views',
]

const lineCount = (file: SourceFile): number => file.text.split('\n').length - 1

const paths = (files: readonly SourceFile[], isWrong: (file: SourceFile) => boolean): readonly string[] =>
  files.filter(isWrong).map((file) => file.path)

test(`no source file is longer than ${MAX_LINES} lines, no test than ${MAX_TEST_LINES}`, () => {
  assert.deepEqual(
    paths([...server, ...others], (file) => lineCount(file) > MAX_LINES),
    [],
  )
  assert.deepEqual(
    paths(tests, (file) => lineCount(file) > MAX_TEST_LINES),
    [],
  )
})

test('nine in ten files of server/ have at most 200 lines, half of them at most 100', () => {
  const sizes = server.map(lineCount).toSorted((a, b) => a - b)
  const at = (share: number): number => sizes[Math.floor(sizes.length * share)] ?? 0
  assert.ok(at(0.5) <= 100, `the median is ${at(0.5)}`)
  assert.ok(at(0.9) <= 200, `one in ten has more than ${at(0.9)}`)
})

test('file names are kebab-case', () => {
  assert.deepEqual(
    paths(all, ({ path }) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test|\.d)?\.(ts|mjs)$/.test(basename(path))),
    [],
  )
})

test('every file begins by saying what it is for; a test may leave that to its name', () => {
  assert.deepEqual(
    paths(all, ({ path, text }) => !path.endsWith('.test.ts') && !/^(#!.*\n)?\/(\/|\*)/.test(text)),
    [],
  )
})

test('rules take the time from now(), never from Date.now()', () => {
  const reads = /\bDate\.now\b|\bnew Date\(\)/
  assert.deepEqual(
    paths(server, ({ path, text }) => isIn(path, RULES) && reads.test(withoutComments(text))),
    [],
  )
})

test('Math.random draws nothing but waiting times, and those only in stores', () => {
  assert.deepEqual(
    paths(server, ({ path, text }) => !isIn(path, ['server/stores']) && withoutComments(text).includes('Math.random')),
    [],
  )
})

test('no test is left marked as the only one to run', () => {
  assert.deepEqual(
    paths(tests, ({ text }) => /\b(?:test|it|describe)\.only\(|\bonly: true/.test(text)),
    [],
  )
})

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
}
