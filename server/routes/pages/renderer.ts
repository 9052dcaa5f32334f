// One renderer for all pages of an app.

import type { Services } from '../../services.ts'
import { createRenderer, type Renderer } from '../../views/render.ts'

const renderers = new WeakMap<Services, Renderer>()

/** The renderer of these services. Own templates are read anew for every page in development. */
export function rendererOf(services: Services): Renderer {
  const known = renderers.get(services)
  if (known !== undefined) return known
  const { views, production } = services.config
  const renderer = createRenderer({ folder: views, cache: production || views === null })
  renderers.set(services, renderer)
  return renderer
}
