// Renders views with Eta, which escapes every value. An app's own folder is looked at first, file by file.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta/core'
import { ConfigError, UsageError } from '../errors.ts'
import { VIEW_NAMES, type Frame, type ViewData, type ViewName } from './view-data.ts'

export interface RendererOptions {
  /** Folder of templates that override ours, `null` for none. */
  readonly folder: string | null
  /** Keep compiled templates; without it every page reads its files anew, for working on them. Default true. */
  readonly cache?: boolean
}

/** Renders one view in the layout. */
export type Renderer = <K extends ViewName>(view: K, data: ViewData[K], frame: Frame) => string

// Next to this file both in the source and in the published package.
const OWN_FOLDER = fileURLToPath(new URL('.', import.meta.url))

/**
 * Makes a renderer. Every template is compiled at once, so that a broken one stops the start and not a visitor.
 *
 * @throws ConfigError where the folder is missing or a template cannot be compiled
 */
export function createRenderer(options: RendererOptions): Renderer {
  if (options.folder !== null && !isFolder(options.folder)) {
    throw new ConfigError([`views: there is no folder ${options.folder}`])
  }
  const templates = new Templates(options.folder, options.cache ?? true)
  checkTemplates(templates)
  return (view, data, frame) => templates.render(view, { ...data, frame })
}

class Templates extends Eta {
  readonly #folders: readonly string[]

  constructor(folder: string | null, cache: boolean) {
    super({ cache, autoEscape: true, useWith: false })
    this.#folders = folder === null ? [OWN_FOLDER] : [folder, OWN_FOLDER]
  }

  override resolvePath = (template: string): string => {
    const file = `${template}.eta`
    const found = this.#folders.map((folder) => join(folder, file)).find((path) => existsSync(path))
    if (found === undefined) throw new UsageError(`There is no template ${file} in ${this.#folders.join(' or ')}`)
    return found
  }

  override readFile = (path: string): string => readFileSync(path, 'utf8')
}

function checkTemplates(templates: Templates): void {
  const problems: string[] = []
  for (const name of ['layout', ...VIEW_NAMES]) {
    try {
      templates.compile(templates.readFile(templates.resolvePath(name)))
    } catch (error) {
      problems.push(`views: ${name}.eta cannot be compiled: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  if (problems.length > 0) throw new ConfigError(problems)
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}
