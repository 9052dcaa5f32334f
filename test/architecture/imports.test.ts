// Imports go inwards only. A wrong one is found here, before a reader has to wonder.

import assert from 'node:assert/strict'
import test from 'node:test'
import { layerOf } from './layers.ts'
import { isIn, readSources, type Import, type SourceFile } from './sources.ts'

const sources = await readSources('server/**/*.ts')

/** Packages that belong to one place: what they do is behind an interface of ours everywhere else. */
const PACKAGES_OF = {
  express: ['server/middleware', 'server/routes', 'server/create-auth.ts', 'server/app.ts'],
  'express-session': ['server/middleware'],
  'cookie-parser': ['server/app.ts', 'server/middleware'],
  helmet: ['server/middleware'],
  // A command of the operator may be the superuser; nothing that serves requests ever is.
  pocketbase: ['server/pocketbase', 'server/cli/superuser-client.ts'],
  'node:sqlite': ['server/stores', 'server/pocketbase/launcher/file-lock.ts'],
  redis: ['server/stores'],
  pg: ['server/stores'],
  mongodb: ['server/stores'],
  eta: ['server/views', 'server/routes'],
  pino: ['server/logger.ts'],
} as const

const wrong = (judge: (file: SourceFile, from: Import) => boolean): readonly string[] =>
  sources.flatMap((file) =>
    file.imports.filter((from) => judge(file, from)).map((from) => `${file.path} imports ${from.from}`),
  )

test('a layer imports itself and the layers inside it, no others', () => {
  const found = wrong((file, { from, typeOnly }) => {
    if (!from.startsWith('server/')) return false
    const [layer, other] = [layerOf(file.path), layerOf(from)]
    const allowed = typeOnly ? [...layer.uses, ...(layer.types ?? [])] : layer.uses
    return layer !== other && !allowed.includes(other.name)
  })
  assert.deepEqual(found, [])
})

test('server code imports nothing from outside server/', () => {
  assert.deepEqual(
    wrong((_file, { from }) => /^(?:\.|test\/|scripts\/|examples\/|bench\/)/.test(from)),
    [],
  )
})

test('a package that has one place is imported as a value only there', () => {
  const found = wrong(({ path }, { from, typeOnly }) => {
    const places = Object.entries(PACKAGES_OF).find(([name]) => name === from)?.[1]
    return places !== undefined && !typeOnly && !isIn(path, places)
  })
  assert.deepEqual(found, [])
})

test('sessions, stores and lib do not know Express or PocketBase, not even their types', () => {
  const found = wrong(
    ({ path }, { from }) =>
      isIn(path, ['server/lib', 'server/sessions', 'server/stores']) &&
      ['express', 'express-session', 'pocketbase'].includes(from),
  )
  assert.deepEqual(found, [])
})

test('a store does not import another store', () => {
  const found = wrong(({ path }, { from }) => {
    const [mine, other] = [storeOf(path), storeOf(from)]
    return mine !== undefined && other !== undefined && mine !== other
  })
  assert.deepEqual(found, [])
})

test('imports have no cycles', () => {
  const imports = new Map(sources.map((file) => [file.path, file.imports.filter((from) => !from.typeOnly)]))
  const done = new Set<string>()
  const cycles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) cycles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (trail.includes(path) || done.has(path)) return
    for (const { from } of imports.get(path) ?? []) visit(from, [...trail, path])
    done.add(path)
  }
  for (const { path } of sources) visit(path, [])
  assert.deepEqual(cycles, [])
})

test('every import of our own names a file that is there', () => {
  const paths = new Set(sources.map((file) => file.path))
  assert.deepEqual(
    wrong((_file, { from }) => from.startsWith('server/') && !paths.has(from)),
    [],
  )
})

function storeOf(path: string): string | undefined {
  return /^server\/stores\/(memory|sqlite|redis|postgres|mongo)\b/.exec(path)?.[1]
}
