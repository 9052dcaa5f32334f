// Every view with every value: nothing that a user, a mail program or PocketBase has written becomes HTML.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { ConfigError } from '../../../server/errors.ts'
import { createRenderer } from '../../../server/views/render.ts'
import { VIEW_NAMES, type Frame } from '../../../server/views/view-data.ts'
import { outlineOf } from './outline.ts'
import { frameFor, samples } from './samples.ts'

const render = createRenderer({ folder: null })

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onfocus='alert(1)",
  '</textarea><script>alert(1)</script>',
  '</title><script>alert(1)</script>',
  '<%= it.frame.csrf %>',
  'line\u2028separator\u2029<b>',
  '<b>'.repeat(20_000),
]

/** What the templates choose by, and never print as text of somebody else. */
const CHOICES: ReadonlySet<string> = new Set(['type', 'view'])

const filledFrames: readonly Partial<Frame>[] = [
  {
    summary: {
      title: 'Wrong',
      items: [
        { href: '#f', text: 'wrong' },
        { href: null, text: 'wrong' },
      ],
    },
  },
  { notice: 'Done.' },
  { visitor: null },
]

for (const view of VIEW_NAMES) {
  test(`the view ${view} escapes every value it is given`, () => {
    for (const frame of filledFrames) {
      const data = samples[view]
      const expected = outlineOf(render(view, data, frameFor(view, frame)))
      for (const value of HOSTILE) {
        const html = render(view, withText(data, value), withText(frameFor(view, frame), value))
        assert.deepEqual(outlineOf(html), expected, `${view} with ${value.slice(0, 40)}`)
        assert.ok(!html.includes(value) || !/[<>"']/.test(value), `${view} shows ${value.slice(0, 40)} as it is`)
      }
    }
  })

  test(`the view ${view} is a whole page with one heading, labels at its fields and no inline style or script`, () => {
    const html = render(view, samples[view], frameFor(view))
    assert.match(html, /^<!doctype html>\s*<html lang="en">/)
    assert.match(html, /<title>Title · app\.example\.com<\/title>/)
    assert.equal(html.match(/<h1/g)?.length, 1)
    assert.equal(html.match(/<main/g)?.length, 1)
    assert.doesNotMatch(html, /\sstyle=|\son\w+=|<style|<script(?![^>]* src=)/)
    for (const [, id = ''] of html.matchAll(/<(?:input|textarea) id="([^"]+)"/g)) {
      assert.ok(html.includes(`<label for="${id}">`), `${id} has a label`)
    }
    assert.equal(new Set(idsOf(html)).size, idsOf(html).length, 'ids occur once')
    for (const [, ids = ''] of html.matchAll(/aria-(?:describedby|labelledby)="([^"]+)"/g)) {
      for (const id of ids.split(' ')) assert.ok(idsOf(html).includes(id), `${id} is there`)
    }
    for (const [form] of html.matchAll(/<form[^>]*method="post"[\s\S]*?<\/form>/g)) {
      assert.match(form, /name="_csrf" value="token"/)
    }
  })
}

test('an error says so in the title and is announced', () => {
  const summary = { title: 'Check this.', items: [{ href: '#f-email', text: 'E-mail: wrong' }] }
  const html = render('register', samples.register, frameFor('register', { summary }))
  assert.match(html, /<title>Error: /)
  assert.match(html, /role="alert"[\s\S]*Check this\.[\s\S]*<a href="#f-email">E-mail: wrong<\/a>/)
})

test('a folder overrides single templates, partial ones too, and leaves the rest', async (t) => {
  const folder = await folderOf(t, {
    'login.eta': '<% layout("layout") %><h1>Mine: <%= it.identity.label %></h1>',
    'csrf.eta': '<input type="hidden" name="mine">',
  })
  const own = createRenderer({ folder })
  const login = own('login', samples.login, frameFor('login'))
  assert.match(login, /<h1>Mine: E-mail<\/h1>/)
  assert.match(login, /class="brand"/)
  assert.match(own('register', samples.register, frameFor('register')), /<h1>Create an account<\/h1>[\s\S]*name="mine"/)
})

test('a template of an app escapes too', async (t) => {
  const folder = await folderOf(t, { 'error.eta': '<p><%= it.message %></p>' })
  const own = createRenderer({ folder })
  const html = own('error', { ...samples.error, message: '<script>' }, frameFor('error'))
  assert.equal(html, '<p>&lt;script&gt;</p>')
})

test('a folder that is not there and templates that cannot be compiled stop the start, all named at once', async (t) => {
  assert.throws(() => createRenderer({ folder: '/no/such/folder' }), /there is no folder \/no\/such\/folder/)
  const folder = await folderOf(t, { 'login.eta': '<% if ( %>', 'error.eta': '<%= it.message' })
  assert.throws(
    () => createRenderer({ folder }),
    (error) => error instanceof ConfigError && /login\.eta/.test(error.message) && /error\.eta/.test(error.message),
  )
})

test('without the cache a changed template shows at once, with it the compiled one stays', async (t) => {
  const folder = await folderOf(t, { 'error.eta': 'one' })
  const fresh = createRenderer({ folder, cache: false })
  const cached = createRenderer({ folder })
  const both = (): string => [fresh, cached].map((each) => each('error', samples.error, frameFor('error'))).join(' ')
  assert.equal(both(), 'one one')
  await writeFile(join(folder, 'error.eta'), 'two')
  assert.equal(both(), 'two one')
})

/** The same shape with `text` in the place of every string. */
function withText<T>(data: T, text: string): T {
  return replaced(data, text) as T // the shape is kept
}

function replaced(data: unknown, text: string): unknown {
  if (typeof data === 'string') return data === '' ? data : text
  if (Array.isArray(data)) return data.map((each) => replaced(each, text))
  if (typeof data !== 'object' || data === null) return data
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => [name, CHOICES.has(name) ? value : replaced(value, text)]),
  )
}

function idsOf(html: string): string[] {
  return Array.from(html.matchAll(/\sid="([^"]+)"/g), ([, id = '']) => id)
}

async function folderOf(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'views-'))
  t.after(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}
