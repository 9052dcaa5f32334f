// A real Chromium for the browser tests, and the accessibility check of a page in it.

import axe from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import { findChromium } from './find-chromium.ts'

const FLAGS = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** What is checked: WCAG 2.2 on the levels A and AA, and axe's own good practices. */
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** Starts a headless browser with an empty profile of its own, which goes when it is closed. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined)
    throw new Error('There is no Chromium: "npm test" installs one, or set CHROMIUM_BIN')
  // Chromium's sandbox refuses to start for root, which is what tests run as in a container.
  const forRoot = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ executablePath, headless: true, args: [...FLAGS, ...forRoot] })
}

export interface AxeFinding {
  /** axe's name of the rule, `color-contrast`. */
  readonly rule: string
  readonly help: string
  /** The elements it is about, as CSS selectors. */
  readonly elements: readonly string[]
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly help: string
    readonly nodes: readonly { readonly target: readonly unknown[] }[]
  }[]
}

/**
 * What axe-core finds wrong with a page as it is now. The page's own CSP stays in force: the debugger's door is not under
 * it. Needs a context in which scripts are on: axe waits on timers.
 */
export async function runAxe(page: Page): Promise<readonly AxeFinding[]> {
  await page.evaluate(axe.source)
  const options = JSON.stringify({ runOnly: AXE_TAGS, resultTypes: ['violations'] })
  const results = await page.evaluate<AxeResults>(`axe.run(document, ${options})`)
  return results.violations.map(({ id, help, nodes }) => ({
    rule: id,
    help,
    elements: nodes.map((node) => node.target.map(String).join(' ')),
  }))
}
