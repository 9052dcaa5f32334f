// The README and docs/ keep up with the code: links lead somewhere, examples stay short and are shown to readers.

import assert from 'node:assert/strict'
import { access, glob, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path/posix'
import test from 'node:test'
import { readSources } from './sources.ts'

interface Page {
  readonly path: string
  readonly text: string
}

const pages: Page[] = []
for await (const path of glob(['*.md', 'docs/**/*.md'])) pages.push({ path, text: await readFile(path, 'utf8') })

const README_LINES = 150
const EXAMPLE_LINES = 40

test('links between the documents lead to files that are there', async () => {
  const broken: string[] = []
  for (const { path, text } of pages) {
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)[^)]*\)/g)) {
      const there = await access(join(dirname(path), target)).then(
        () => true,
        () => false,
      )
      if (!there) broken.push(`${path}: ${target}`)
    }
  }
  assert.deepEqual(broken, [])
})

test(`the README has fewer than ${README_LINES} lines and leads to every document`, () => {
  const readme = pages.find((page) => page.path === 'README.md')?.text ?? ''
  assert.ok(readme.split('\n').length - 1 < README_LINES)
  const documents = pages.map((page) => page.path).filter((path) => path.startsWith('docs/'))
  assert.deepEqual(
    documents.filter((path) => !readme.includes(`(${path}`)),
    [],
  )
})

test(`examples have fewer than ${EXAMPLE_LINES} lines, and the documents name each`, async () => {
  const examples = await readSources('examples/*.ts')
  assert.ok(examples.length > 0)
  for (const { path, text } of examples) {
    assert.ok(text.split('\n').length - 1 < EXAMPLE_LINES, `${path} is too long to be an example`)
    assert.ok(
      pages.some((page) => page.text.includes(path)),
      `${path} is named in no document`,
    )
  }
})

test('every example is run by a test', async () => {
  const tests = await readSources('test/**/*.test.ts')
  const examples = await readSources('examples/*.ts')
  const unused = examples.filter(({ path }) => !tests.some(({ text }) => text.includes(path)))
  assert.deepEqual(
    unused.map(({ path }) => path),
    [],
  )
})
