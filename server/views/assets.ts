// The stylesheet, the script and the icon of the pages. Their addresses carry a hash of the content, so browsers
// may keep them for good.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface Asset {
  /** `/assets/auth/style.1a2b3c4d5e.css` */
  readonly url: string
  readonly type: string
  readonly body: Buffer
}

const FOLDER = '/assets/auth'

export const STYLESHEET = loadAsset('style.css', 'text/css; charset=utf-8')
export const SCRIPT = loadAsset('enhance.js', 'text/javascript; charset=utf-8')
export const ICON = loadAsset('icon.svg', 'image/svg+xml')

export const ASSETS: readonly Asset[] = [STYLESHEET, SCRIPT, ICON]

function loadAsset(file: string, type: string): Asset {
  const body = readFileSync(new URL(file, import.meta.url))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 10)
  return { url: `${FOLDER}/${file.replace('.', `.${hash}.`)}`, type, body }
}
